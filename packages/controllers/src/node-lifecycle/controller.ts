import { isNotFound, Leases, type Node, Nodes, type Pod, Pods, podCondition } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { awaitsEviction, type Eviction, isNodeReady, nodeCondition, plannedTaints, silentConditions } from "./plan.ts";
import { isAllLost, type Zone, zoneOf, zonesOf } from "./zones.ts";

const leaseNamespace = "kube-node-lease";
const podsByNode = "node name";

/** A node's last sign of life. */
interface Heartbeat {
  readonly text: string;
  /** On our own clock (monotonic): the node's may be wrong. */
  readonly seenMs: number;
}

/**
 * Watches over nodes: one that has shown no sign of life (its Lease or its status) for the grace period is marked, its pods
 * stop being ready, and taints keep new ones away and have the old ones evicted.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
export function nodeLifecycleController(options: { readonly graceMs: number }): Loop {
  const heartbeats = new Map<string, Heartbeat>();
  const registered = new Set<string>();
  const turns = new Turns();
  return defineController<Node>({
    name: "node-lifecycle",
    component: "node-controller",
    for: Nodes,
    watches: [
      watching(Leases, ({ metadata: { namespace, name } }) => (namespace === leaseNamespace ? [{ name }] : [])),
      // Whether pods are evicted from a node depends on whether any other is ready.
      watching(
        Nodes,
        (_, { cached }) =>
          cached(Nodes)
            .list()
            .filter((node) => !isNodeReady(node))
            .map(({ metadata }) => metadata),
        (old, node) => isNodeReady(old) !== isNodeReady(node),
      ),
      // A node that is not ready has no pods that are.
      watching(
        Pods,
        ({ spec }, { cached }) => {
          const node = spec.nodeName ? cached(Nodes).get(spec.nodeName) : undefined;
          return node === undefined || isNodeReady(node) ? [] : [node.metadata];
        },
        (old, pod) => mayServe(pod) && (!mayServe(old) || !old.spec.nodeName),
      ),
    ],
    async reconcile(node, context) {
      const { clock, recorder } = context;
      const { name, uid } = node.metadata;
      if (!registered.has(uid)) {
        registered.add(uid);
        const message = `Node ${name} event: Registered Node ${name} in Controller`;
        recorder.record(Nodes, node, { type: "Normal", reason: "RegisteredNode", message });
      }
      const heartbeat = listen(node, context, heartbeats);
      const silentMs = clock.monotonic() - heartbeat.seenMs;
      const current = silentMs >= options.graceMs ? await markSilent(node, context) : node;
      const turnMs = await taint(current, turns, context);
      if (!isNodeReady(current)) await markPodsNotReady(current, context);
      const graceMs = silentMs >= options.graceMs ? Number.POSITIVE_INFINITY : options.graceMs - silentMs;
      const nextMs = Math.min(graceMs, turnMs);
      return Number.isFinite(nextMs) ? againIn(nextMs) : done;
    },
    async gone({ name }) {
      heartbeats.delete(name);
      return done;
    },
  });
}

function listen(node: Node, { cached, clock }: ReconcileContext, heartbeats: Map<string, Heartbeat>): Heartbeat {
  const { name, uid } = node.metadata;
  const lease = cached(Leases).get(name, leaseNamespace);
  const text = [uid, lease?.spec.renewTime, nodeCondition(node, "Ready")?.lastHeartbeatTime].join(" ");
  const before = heartbeats.get(name);
  if (before?.text === text) return before;
  const heartbeat = { text, seenMs: clock.monotonic() };
  heartbeats.set(name, heartbeat);
  return heartbeat;
}

async function markSilent(node: Node, { client, clock, recorder, signal }: ReconcileContext): Promise<Node> {
  const conditions = silentConditions(node, clock.now());
  if (conditions === undefined) return node;
  const wasReady = isNodeReady(node);
  const marked = await client.updateStatus(Nodes, { ...node, status: { ...node.status, conditions } }, { signal });
  if (wasReady) {
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
    recorder.record(Nodes, node, { type: "Normal", reason: "NodeNotReady", message });
  }
  return marked;
}

/** Nodes of a zone are emptied one after the other. */
class Turns {
  readonly #lastMs = new Map<string, number>();

  /** Milliseconds until it is the turn of another node of the zone; 0: now. */
  wait(key: string, { perSecond }: Zone, nowMs: number): number {
    if (perSecond === 0) return Number.POSITIVE_INFINITY;
    const lastMs = this.#lastMs.get(key) ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, lastMs + 1000 / perSecond - nowMs);
  }

  take(key: string, nowMs: number): void {
    this.#lastMs.set(key, nowMs);
  }
}

/** Gives the milliseconds until it may be the node's turn to be emptied; infinite where it does not wait for that. */
async function taint(node: Node, turns: Turns, { client, cached, clock, signal }: ReconcileContext): Promise<number> {
  const nowMs = clock.monotonic();
  const key = zoneOf(node);
  let eviction: Eviction = "later";
  let waitMs = Number.POSITIVE_INFINITY;
  if (!isNodeReady(node)) {
    const zones = zonesOf(cached(Nodes).list());
    const zone = zones.get(key);
    if (isAllLost(zones)) eviction = "never";
    else if (zone !== undefined && awaitsEviction(node)) {
      waitMs = turns.wait(key, zone, nowMs);
      if (waitMs === 0) eviction = "now";
    }
  }
  const taints = plannedTaints(node, { eviction, nowMs: clock.now() });
  // Its turn has come, but a node that never told how it is has nothing yet to be emptied for: it is heard of when it has.
  if (taints === undefined) return eviction === "now" ? Number.POSITIVE_INFINITY : waitMs;
  if (eviction === "now") turns.take(key, nowMs);
  // A merge patch of the whole list, held to the version it was made from.
  const patch = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } };
  await client.patch(Nodes, node.metadata, patch, { type: "merge", signal });
  return eviction === "now" ? Number.POSITIVE_INFINITY : waitMs;
}

/** Pods of a node that is not ready serve nobody: their endpoints have to know. */
async function markPodsNotReady(node: Node, context: ReconcileContext): Promise<void> {
  const pods = context.cached(Pods);
  pods.addIndex(podsByNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
  for (const pod of pods.byIndex(podsByNode, node.metadata.name)) await markPodNotReady(pod, context);
}

/** Whether a pod says, or does not deny, that it is ready. */
function mayServe(pod: Pod): boolean {
  const ready = podCondition(pod, "Ready");
  return ready !== undefined && ready.status !== "False";
}

async function markPodNotReady(pod: Pod, { client, clock, recorder, signal }: ReconcileContext): Promise<void> {
  const ready = podCondition(pod, "Ready");
  if (ready === undefined || !mayServe(pod)) return;
  const condition = { ...ready, status: "False", lastTransitionTime: timestamp(clock.now()) };
  const conditions = (pod.status.conditions ?? []).map((known) => (known.type === "Ready" ? condition : known));
  try {
    await client.updateStatus(Pods, { ...pod, status: { ...pod.status, conditions } }, { signal });
    const message = "Node is not ready";
    recorder.record(Pods, pod, { type: "Warning", reason: "NodeNotReady", message });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
