import { isAlreadyExists, isNotFound, Leases, type Node, type NodeStatus, Nodes, type Taint } from "@skiff/api";
import {
  type Clock,
  describeError,
  isAbort,
  jsonEqual,
  type Logger,
  microTimestamp,
  resolvedOrAborted,
} from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import type { Runtime } from "@skiff/runtime";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";
import type { DeviceCount } from "../devices/device-table.ts";
import type { NodeIdentity, NodeMachine } from "../options.ts";
import {
  type NodeHealth,
  newNode,
  nodeAnnotations,
  nodeConditions,
  nodeLabels,
  nodeStatus,
  withoutHeartbeats,
} from "./node-object.ts";

const checkMs = 10_000;
/** An unchanged status is written this often. */
const reportMs = 300_000;
const renewMs = 10_000;
const leaseSeconds = 40;
const leaseNamespace = "kube-node-lease";

export interface NodeReporterOptions {
  readonly node: NodeIdentity;
  readonly machine: NodeMachine;
  readonly configuration: KubeletConfiguration;
  /** Types of the conditions that tell of pressure and are true. */
  readonly pressures: () => ReadonlySet<string>;
  /** The machine is about to be shut down. */
  readonly shuttingDown: () => boolean;
  readonly port: number;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly runtime: Runtime;
  /** Unique names of attached volumes that are in use; given those that were told last. */
  readonly volumesInUse: (before: readonly string[]) => readonly string[];
  /** What plugins offer, by resource. */
  readonly devices: () => ReadonlyMap<string, DeviceCount>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What decides whether a pod may be on the node, of the node's own object. */
export interface NodeFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly operatingSystem: string;
}

/** Registers the node, and says again and again that it is there and how it is. */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  #node: Node | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #poked = Promise.withResolvers<void>();
  #renewTime: string | undefined;

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  /** What placement depends on, as last seen. */
  get facts(): NodeFacts {
    const { node, machine } = this.#options;
    return {
      labels: this.#node?.metadata.labels ?? nodeLabels(node, machine),
      taints: this.#node?.spec?.taints ?? [],
      operatingSystem: machine.operatingSystem,
    };
  }

  /** Reads the node's object anew: its labels may have changed a moment ago. */
  async look(signal: AbortSignal): Promise<void> {
    const { client, node } = this.#options;
    this.#node = await client.get(Nodes, { name: node.name }, { signal });
  }

  /** Checks the node every 10 s; tells the API of changes at once, and of no change every 5 min. */
  async report(signal: AbortSignal): Promise<void> {
    for (let retryMs = 100; ; ) {
      try {
        await this.#reportOnce(signal);
        retryMs = 100;
        // A runtime whose network is not up yet is asked again soon.
        const ready = this.#node?.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
        await this.#wait(ready === true ? checkMs : 500, signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#options.logger.warn(`node status: ${describeError(error)}`);
        retryMs = Math.min(checkMs, retryMs * 2);
        await this.#options.clock.sleep(retryMs, signal);
      }
    }
  }

  /** What the node's conditions depend on has changed. */
  poke(): void {
    this.#poked.resolve();
  }

  /** A shutdown of the machine has begun, or was called off. */
  shutdown(message: string): void {
    const { recorder } = this.#options;
    if (this.#node !== undefined)
      recorder.record(Nodes, this.#node, { type: "Normal", reason: "NodeShutdown", message });
    this.poke();
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    using _ = this.#options.clock.after(ms, () => this.#poked.resolve());
    await resolvedOrAborted(this.#poked.promise, signal);
    this.#poked = Promise.withResolvers<void>();
    signal.throwIfAborted();
  }

  /** Renews the node's Lease every 10 s. */
  async renew(signal: AbortSignal): Promise<void> {
    for (let retryMs = 200; ; ) {
      try {
        await this.#renewOnce(signal);
        retryMs = 200;
        if (this.#renewTime !== undefined) await this.#options.clock.sleep(renewMs, signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#options.logger.warn(`node lease: ${describeError(error)}`);
        retryMs = Math.min(7000, retryMs * 2);
        await this.#options.clock.sleep(retryMs, signal);
      }
    }
  }

  async #health(signal: AbortSignal): Promise<NodeHealth> {
    const { runtime } = this.#options;
    const status = await runtime.status(signal).catch((error: unknown) => ({
      runtimeReady: false,
      networkReady: false,
      message: describeError(error),
    }));
    return { ...status, pressures: this.#options.pressures(), shuttingDown: this.#options.shuttingDown() };
  }

  async #status(before: NodeStatus | undefined, signal: AbortSignal): Promise<NodeStatus> {
    const { runtime, node, machine, port, clock } = this.#options;
    const [health, version, images] = await Promise.all([
      this.#health(signal),
      runtime.version(signal).catch(() => undefined),
      runtime.listImages(signal).catch(() => []),
    ]);
    const known = before?.nodeInfo?.containerRuntimeVersion ?? "";
    return nodeStatus({
      node,
      machine,
      configuration: this.#options.configuration,
      port,
      containerRuntimeVersion: version === undefined ? known : `${version.name}://${version.version}`,
      images,
      volumesInUse: this.#options.volumesInUse(before?.volumesInUse ?? []),
      devices: this.#options.devices(),
      conditions: nodeConditions(health, { before: before?.conditions ?? [], nowMs: clock.now() }),
      before,
    });
  }

  async #reportOnce(signal: AbortSignal): Promise<void> {
    const { client, node, clock, recorder } = this.#options;
    const current = await this.#current(signal);
    if (this.#node === undefined) {
      recorder.record(Nodes, current, { type: "Normal", reason: "Starting", message: "Starting kubelet." });
    }
    this.#node = current;
    const status = await this.#status(current.status, signal);
    const same = jsonEqual(withoutHeartbeats(status), withoutHeartbeats(current.status ?? {}));
    const due = clock.monotonic() - this.#reportedMs >= reportMs;
    if (same && !due) return;
    // Only what differs is sent, so that what others patched meanwhile stays.
    const patch = { status: changedMembers(current.status ?? {}, status) };
    this.#node = await client.patch(Nodes, { name: node.name }, patch, {
      type: "strategic",
      subresource: "status",
      signal,
    });
    this.#reportedMs = clock.monotonic();
    const turned = readyOf(status) !== readyOf(current.status);
    if (turned) {
      const ready = readyOf(status) === "True";
      const reason = ready ? "NodeReady" : "NodeNotReady";
      const message = `Node ${node.name} status is now: ${reason}`;
      recorder.record(Nodes, this.#node, { type: "Normal", reason, message });
    }
  }

  /** The node's object, made where it is missing. */
  async #current(signal: AbortSignal): Promise<Node> {
    const { client, node, machine } = this.#options;
    const labels = nodeLabels(node, machine);
    try {
      const found = await client.get(Nodes, { name: node.name }, { signal });
      const metadata = {
        ...missingFrom("labels", found, labels),
        ...missingFrom("annotations", found, nodeAnnotations(node)),
      };
      if (Object.keys(metadata).length === 0) return found;
      const patch = { metadata };
      return await client.patch(Nodes, { name: node.name }, patch, { type: "strategic", signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      return await client.create(Nodes, newNode(node, labels, await this.#status(undefined, signal)), { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return await client.get(Nodes, { name: node.name }, { signal });
    }
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    const { client, node, clock } = this.#options;
    const { name } = node;
    const renewTime = microTimestamp(clock.now());
    const ref = { namespace: leaseNamespace, name };
    if (this.#renewTime !== undefined) {
      try {
        await client.patch(Leases, ref, { spec: { renewTime } }, { type: "merge", signal });
        this.#renewTime = renewTime;
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const owner = this.#node;
    // The Lease belongs to the node, which is being registered.
    if (owner === undefined) return clock.sleep(20, signal);
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name, uid: owner.metadata.uid }];
    try {
      await client.create(Leases, { metadata: { ...ref, ownerReferences }, spec }, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await client.patch(Leases, ref, { metadata: { ownerReferences }, spec }, { type: "merge", signal });
    }
    this.#renewTime = renewTime;
  }
}

const readyOf = (status: NodeStatus | undefined): string | undefined =>
  status?.conditions?.find((one) => one.type === "Ready")?.status;

/** Labels or annotations of the node that it does not have as they should be. */
function missingFrom(field: "labels" | "annotations", { metadata }: Node, wanted: Readonly<Record<string, string>>) {
  const missing = Object.entries(wanted).filter(([key, value]) => metadata[field]?.[key] !== value);
  return missing.length === 0 ? {} : { [field]: Object.fromEntries(missing) };
}

function changedMembers(before: NodeStatus, after: NodeStatus): Record<string, unknown> {
  const old: Record<string, unknown> = { ...before };
  return Object.fromEntries(Object.entries(after).filter(([key, value]) => !jsonEqual(old[key], value)));
}
