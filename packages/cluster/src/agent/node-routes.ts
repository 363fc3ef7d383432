import { createHash } from "node:crypto";
import { Nodes } from "@skiff/api";
import { type Clock, type Logger, systemRandom } from "@skiff/base";
import { type Client, createEventRecorder, type Informers } from "@skiff/client";
import { systemTunnels } from "@skiff/host";
import { NodeRoutes } from "@skiff/network";
import type { Machine } from "../lifecycle/machine.ts";
import type { NodePki } from "../pki/pki.ts";
import { clusterCidrs } from "../settings/pod-ranges.ts";
import { machineNames, type NodeSettings } from "../settings/settings.ts";

interface Agent {
  readonly settings: NodeSettings;
  readonly podCidr: string;
  readonly pki: Pick<NodePki, "authority">;
  readonly machine: Machine;
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps routes to the pods of other nodes, of which there may be none; what is impossible is told on the own Node. */
export function startNodeRoutes(agent: Agent): AsyncDisposable {
  const { settings, podCidr, pki, machine, client, clock, informers } = agent;
  const { nodeName } = settings;
  const logger = agent.logger.named("routes");
  const stack = new AsyncDisposableStack();
  const source = { component: "node-routes", host: nodeName };
  const recorder = stack.use(createEventRecorder({ client, ...source, clock, random: systemRandom, logger }));
  stack.use(
    new NodeRoutes({
      nodeName,
      podCidr,
      clusterCidr: clusterCidrs(settings)[0] ?? podCidr,
      protocol: machineNames(settings).routeProtocol,
      informers,
      network: machine.network,
      sysctls: machine.sysctls,
      tunnels: systemTunnels(machine.processes),
      tunnel: { name: machineNames(settings).tunnel, id: networkNumber(pki.authority) },
      nodeIp: settings.nodeIp,
      onProblem: (message, own) => {
        logger.warn(message);
        if (own !== undefined) {
          recorder.record(Nodes, own, { type: "Warning", reason: "FailedToCreateRoute", message });
        }
      },
      clock,
      logger,
    }),
  );
  return stack;
}

/** Of a cluster's tunnels (24 bits, not 0): the same on all its nodes, and another one for another cluster. */
function networkNumber(authority: string): number {
  return createHash("sha256").update(authority.trim()).digest().readUIntBE(0, 3) || 1;
}
