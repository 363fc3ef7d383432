import { isPodTerminal, type Node, type Pod, Pods, type ResourceDefinition } from "@skiff/api";
import type { Background } from "@skiff/base";
import type { CacheChange, Informers } from "@skiff/client";
import type { ClusterState } from "./cluster-state.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { ClusterEvent, ClusterView } from "./framework.ts";
import { GatedPods } from "./gated-pods.ts";
import { podFacts } from "./pod-facts.ts";
import { gateOf, type Profile } from "./profile.ts";
import type { SchedulingQueue } from "./queue.ts";
import type { RetryHints } from "./retry-hints.ts";
import { roomOn } from "./room-on.ts";

/** What changes of the cluster are brought to. */
export interface IntakeParts {
  readonly state: ClusterState;
  readonly view: ClusterView;
  readonly queue: SchedulingQueue;
  readonly hints: RetryHints;
  readonly decisions: DecisionLog;
  readonly background: Background;
  readonly informers: Informers;
  /** Resources whose changes void what is remembered of nodes. */
  readonly forgetOn: ReadonlySet<ResourceDefinition>;
  readonly profileOf: (pod: Pod) => Profile | undefined;
}

/** Takes in what happens in the cluster: keeps the scheduler's picture of it, and has pods tried for which it makes a difference. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #gated = new GatedPods();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** A node has come, gone or changed. */
  nodeChanged(change: CacheChange<Node>): void {
    const node = change.object;
    if (change.kind === "deleted") {
      this.#parts.state.removeNode(node.metadata.name);
      return;
    }
    if (!this.#parts.state.putNode(node)) return;
    this.happened(
      change.kind === "added" ? { kind: "nodeAdded", node } : { kind: "nodeUpdated", node, old: change.old },
    );
  }

  /** A pod has come, gone or changed. */
  podChanged(change: CacheChange<Pod>): void {
    const { object: pod } = change;
    const { uid } = pod.metadata;
    if (change.kind === "deleted") {
      this.#dropped(pod);
      return;
    }
    if (change.kind === "updated" && change.old.metadata.uid !== uid) this.#dropped(change.old);
    const ended = isPodTerminal(pod);
    this.#parts.state.putPod(pod);
    if (pod.spec.nodeName || ended || pod.metadata.deletionTimestamp) {
      this.#parts.queue.remove(uid);
      this.#gated.release(uid);
      this.#parts.state.nominations.remove(uid);
      if (!pod.spec.nodeName) return;
      // A pod that has ended gives back what it held, as one that is gone does; one that was resized, some of it.
      const before = change.kind === "updated" ? change.old : undefined;
      if (ended) {
        if (before === undefined || !isPodTerminal(before)) this.happened({ kind: "podGone", gone: pod });
      } else if (!before?.spec.nodeName || before.metadata.labels !== pod.metadata.labels) {
        this.happened({ kind: "podPlaced", placed: pod });
      } else if (podFacts(before) !== podFacts(pod)) this.happened({ kind: "podGone", gone: before });
      return;
    }
    const profile = this.#parts.profileOf(pod);
    if (profile === undefined || this.#parts.state.isAssumed(uid)) return;
    this.#followNomination(pod);
    this.#enqueue(pod, profile);
  }

  /** Has the pod tried, unless something keeps it from that; what it needs for it is loaded first. */
  #enqueue(pod: Pod, profile: Profile): void {
    const { uid, name, namespace } = pod.metadata;
    const gate = gateOf(profile, pod, this.#parts.view);
    if (gate !== undefined) {
      this.#gated.hold(pod, gate.plugin);
      return;
    }
    this.#gated.release(uid);
    const loads = profile.plugins.flatMap(({ prepare }) => prepare?.(pod) ?? []);
    if (loads.length === 0) {
      this.#parts.queue.add(pod);
      return;
    }
    this.#parts.background.run(`preparing for ${name}`, async () => {
      await Promise.all(loads);
      const now = this.#parts.informers.for(Pods).get(name, namespace);
      if (now?.metadata.uid === uid && !now.spec.nodeName && !now.metadata.deletionTimestamp)
        this.#parts.queue.add(now);
    });
  }

  #dropped(pod: Pod): void {
    const { uid } = pod.metadata;
    this.#parts.queue.remove(uid);
    this.#gated.release(uid);
    this.#parts.decisions.forget(uid);
    this.#parts.state.nominations.remove(uid);
    this.#parts.state.removePod(uid);
    if (pod.spec.nodeName && !isPodTerminal(pod)) this.happened({ kind: "podGone", gone: pod });
  }

  /** What the API says of a nomination holds for pods of which this scheduler knows nothing newer. */
  #followNomination(pod: Pod): void {
    const { uid } = pod.metadata;
    const nominated = pod.status?.nominatedNodeName;
    if (nominated && !this.#parts.queue.has(uid)) this.#parts.state.nominations.put(pod, nominated);
  }

  /** Tries again the pods that this may help. */
  happened(event: ClusterEvent): void {
    if (event.kind === "object") {
      if (this.#parts.forgetOn.has(event.resource)) this.#parts.state.touchAll();
      for (const pod of this.#gated.heldBy(() => this.#parts.hints.waiting(event))) {
        const profile = this.#parts.profileOf(pod);
        if (profile !== undefined) this.#enqueue(pod, profile);
      }
    }
    const roomFor = event.kind === "podGone" ? roomOn(this.#parts.state, event.gone.spec.nodeName) : undefined;
    this.#parts.queue.wake(this.#parts.hints.waiting(event), (pod, rejectedBy) => {
      if (!this.#parts.hints.helps(event, pod, rejectedBy)) return false;
      const profile = this.#parts.profileOf(pod);
      return profile === undefined || roomFor?.(pod, profile, rejectedBy) !== false;
    });
  }
}
