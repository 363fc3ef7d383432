import { type Node, refusals } from "@skiff/api";
import type { NodeConnector, NodeUsage, UsageSource } from "@skiff/apiserver";
import { aborted, Background, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client, Informers } from "@skiff/client";
import type { ClusterSettings } from "../settings/settings.ts";
import { kubernetesVersion } from "../version.ts";

/** How a server asks its simulated nodes for what they use. */
export interface SimulatedPart {
  /** Whether a node is one of them. */
  has?: (nodeName: string) => boolean;
  usage?: (nodeName: string) => NodeUsage | undefined;
}

/** KWOK's label, annotation and taint: what is written for its nodes works with these. */
const mark = { annotation: "kwok.x-k8s.io/node", label: "type" };
const nameOf = (index: number) => `simulated-${index}`;
const offer = { cpu: "32", memory: "256Gi", "ephemeral-storage": "1Ti", pods: "110" };
/** A silent node counts as lost after 50 s; thousands that speak every 10 s would keep a core busy. */
const heartbeatMs = 20_000;
const retryMs = 5_000;

/**
 * Starts the simulated nodes that the settings ask for, in this process: their pods cost a few requests each in their whole
 * life, which go the short way here. Those that a former start asked for, and this one does not, are taken away.
 */
export async function startSimulatedNodes(
  on: {
    readonly settings: ClusterSettings;
    readonly simulated: SimulatedPart;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  { client, informers }: { readonly client: Client; readonly informers: Informers },
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { settings, simulated, clock } = on;
  const { simulatedNodes: count } = settings;
  const logger = on.logger.named("simulated-nodes");
  const background = new Background({ logger });
  if (count === undefined) return background;
  const { annotatedLoad, annotatedScript, removeNodes, SimulatedNodes, simulatedAddresses } = await import(
    "@skiff/simulation"
  );
  const wanted = new Set(Array.from({ length: count }, (_, at) => nameOf(at + 1)));
  const nodes = [...wanted].map((name, at) => ({
    name,
    labels: {
      "beta.kubernetes.io/arch": "amd64",
      "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/role": "agent",
      "node-role.kubernetes.io/agent": "",
      [mark.label]: "kwok",
    },
    annotations: { [mark.annotation]: "fake", "node.alpha.kubernetes.io/ttl": "0" },
    taints: [{ key: mark.annotation, value: "fake", effect: "NoSchedule" }],
    allocatable: offer,
    kubeletVersion: kubernetesVersion,
    ...simulatedAddresses(at + 1),
  }));
  const isSurplus = ({ metadata: { name, annotations } }: Node) =>
    annotations?.[mark.annotation] === "fake" && /^simulated-\d+$/.test(name) && !wanted.has(name);
  const run = async (stop: AbortSignal) => {
    // From the first of them on: nobody is to look for a kubelet at their addresses.
    simulated.has = (name) => wanted.has(name);
    await removeNodes({ client, informers }, isSurplus, stop);
    const parts = { client, informers, clock, logger, heartbeatMs, scripts: annotatedScript, loads: annotatedLoad };
    await using fleet = await SimulatedNodes.start({ ...parts, nodes }, stop);
    simulated.usage = (name) => fleet.usage(name);
    logger.info(`${count} simulated nodes are there`);
    await aborted(stop);
  };
  background.run("simulated nodes", async (stop) => {
    for (;;) {
      try {
        return await run(AbortSignal.any([stop, signal]));
      } catch (error) {
        if (isAbort(error, stop) || signal.aborted) return;
        logger.error(`the simulated nodes do not start: ${describeError(error)}`);
        await clock.sleep(retryMs, stop);
      } finally {
        delete simulated.has;
        delete simulated.usage;
      }
    }
  });
  return background;
}

/** What simulated nodes use is asked of them, the others' usage of their kubelets. */
export const usageWith = (simulated: SimulatedPart, kubelets: UsageSource): UsageSource => ({
  async usage(nodeName, signal) {
    return simulated.usage?.(nodeName) ?? (await kubelets.usage(nodeName, signal));
  },
});

/** Nobody answers at a simulated node: who asks for logs or a shell is told so at once. */
export const connectorWith = (simulated: SimulatedPart, kubelets: NodeConnector): NodeConnector => ({
  async connect(nodeName) {
    if (simulated.has?.(nodeName) !== true) return await kubelets.connect(nodeName);
    throw refusals.unavailable(`node ${nodeName} is simulated: its pods have no logs, and nothing can be run in them`);
  },
});
