import { isConflict, isNotFound, type KubeObject, type OwnerReference, type ResourceDefinition } from "@skiff/api";
import { aborted, Background, describeError, isAbort } from "@skiff/base";
import type { CacheChange } from "@skiff/client";
import { type LoopContext, type LoopStats, type RunningLoop, WorkQueue } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { type Entry, OwnerGraph } from "./owner-graph.ts";
import { OwnerLookup } from "./owner-lookup.ts";
import {
  blocks,
  foregroundFinalizer,
  hasFinalizer,
  isDeleting,
  judge,
  type OwnerState,
  orphanFinalizer,
  waitsForDependents,
} from "./plan.ts";

const workers = 20;
/** Resources are waited for so long at the start. */
const longestSyncMs = 30_000;

/** The garbage collector at work: the graph follows the caches of all resources; what may have to go is looked at by uid. */
export class Collector implements RunningLoop {
  readonly #context: LoopContext;
  readonly #resources: ResourceSet;
  readonly #graph = new OwnerGraph();
  readonly #background: Background;
  readonly #queue: WorkQueue;
  readonly #followed = new Map<string, Followed>();
  readonly #subscriptions: Disposable[] = [];
  readonly #owners: OwnerLookup;
  #known = false;
  #pumping = false;
  #succeeded = 0;
  #failed = 0;

  constructor(context: LoopContext, resources: ResourceSet) {
    this.#context = context;
    this.#resources = resources;
    this.#owners = new OwnerLookup(context, resources, this.#graph);
    this.#background = new Background({ logger: context.logger });
    this.#queue = new WorkQueue({ clock: context.clock, onReady: () => this.#pumpSoon() });
    this.#background.run("start", (signal) => this.#start(signal));
  }

  stats(): LoopStats {
    const { size: queued, active } = this.#queue;
    const queue = this.#queue.stats();
    return { name: "garbage-collector", queued, active, queue, succeeded: this.#succeeded, failed: this.#failed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    for (const { subscription } of this.#followed.values()) subscription[Symbol.dispose]();
    this.#queue[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
    this.#queue[Symbol.dispose]();
  }

  async #start(signal: AbortSignal): Promise<void> {
    await this.#resources.whenKnown(signal);
    this.#subscriptions.push(this.#resources.onChange(() => this.#followAll()));
    this.#followAll();
    const { informers, clock } = this.#context;
    const synced = [...this.#followed.values()].map(({ resource }) => informers.for(resource).whenSynced(signal));
    // Until everything was read, any owner may seem absent: it is asked for then. One resource that cannot be read, because
    // a webhook is gone or its definition, must not keep all others waiting for ever.
    const waited = Promise.withResolvers<void>();
    using _timer = clock.after(longestSyncMs, waited.resolve);
    await Promise.race([Promise.all(synced), waited.promise]);
    this.#known = true;
    this.#pumpSoon();
    await aborted(signal);
  }

  #followAll(): void {
    const served = this.#resources.all();
    this.#leaveOut(served);
    for (const resource of served) {
      const key = placeOf(resource);
      // Events are many, owned by nobody and run out by themselves.
      if (resource.kind === "Event" || this.#followed.has(key)) continue;
      const informer = this.#context.informers.for(resource);
      const subscription = informer.onChange((change) => this.#hear(resource, change));
      this.#followed.set(key, { resource, subscription });
    }
  }

  /** A custom resource that went: its objects went before. */
  #leaveOut(served: readonly ResourceDefinition[]): void {
    const places = new Set(served.map(placeOf));
    for (const [place, { resource, subscription }] of this.#followed) {
      if (places.has(place)) continue;
      subscription[Symbol.dispose]();
      this.#followed.delete(place);
      this.#context.informers.forget(resource);
    }
  }

  #hear(resource: ResourceDefinition, change: CacheChange<KubeObject>): void {
    const { object } = change;
    const { uid } = object.metadata;
    if (change.kind === "deleted") {
      this.#graph.remove(uid);
      const dependents = this.#graph.dependentsOf(uid);
      if (dependents.length > 0) this.#owners.wentAway(uid);
      for (const dependent of dependents) this.#queue.add(dependent.object.metadata.uid);
      this.#wakeWaitingOwners(object);
      return;
    }
    this.#graph.put({ resource, object });
    if (isDeleting(object)) this.#queue.add(uid);
    else if (this.#hasDoubtfulOwner({ resource, object })) this.#queue.add(uid);
    if (change.kind === "updated") this.#wakeWaitingOwners(change.old);
  }

  #hasDoubtfulOwner(entry: Entry): boolean {
    return (entry.object.metadata.ownerReferences ?? []).some((reference) => {
      const owner = this.#owners.known(reference, entry);
      return owner === undefined || waitsForDependents(owner.object);
    });
  }

  /** An owner that is deleted in the foreground may go when the last of its dependents has. */
  #wakeWaitingOwners({ metadata }: KubeObject): void {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const owner = this.#graph.get(uid);
      if (owner !== undefined && waitsForDependents(owner.object)) this.#queue.add(uid);
    }
  }

  #pumpSoon(): void {
    if (this.#pumping || !this.#known) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      while (this.#queue.active < workers && !this.#background.signal.aborted) {
        const uid = this.#queue.take();
        if (uid === undefined) return;
        this.#background.run(`object ${uid}`, (signal) => this.#work(uid, signal));
      }
    });
  }

  async #work(uid: string, signal: AbortSignal): Promise<void> {
    let succeeded = false;
    try {
      const entry = this.#graph.get(uid);
      if (entry !== undefined) await this.#process(entry, signal);
      succeeded = true;
      this.#succeeded++;
    } catch (error) {
      if (!isAbort(error, signal)) {
        this.#failed++;
        this.#queue.retry(uid);
        const { logger } = this.#context;
        if (!isConflict(error)) logger.debug(`cannot process ${uid}: ${describeError(error)}`);
      }
    }
    this.#queue.finish(uid, { succeeded });
    this.#pumpSoon();
  }

  async #process(entry: Entry, signal: AbortSignal): Promise<void> {
    const { object } = entry;
    if (isDeleting(object) && hasFinalizer(object, orphanFinalizer)) return this.#orphan(entry, signal);
    if (waitsForDependents(object)) return this.#deleteDependentsFirst(entry, signal);
    if (isDeleting(object)) return;
    const references = object.metadata.ownerReferences ?? [];
    const owners: { reference: OwnerReference; state: OwnerState }[] = [];
    for (const reference of references)
      owners.push({ reference, state: await this.#owners.stateOf(reference, entry, signal) });
    const { uid, resourceVersion } = object.metadata;
    const verdict = judge(object, owners, this.#graph.dependentsOf(uid).length > 0);
    if (verdict.kind === "unlink") await this.#unlink(entry, verdict.uids, signal);
    if (verdict.kind !== "delete") return;
    const inCircle = verdict.policy === "Foreground" && this.#closesCircle(uid);
    // The change brings the object here again, to be deleted.
    if (inCircle && references.some((reference) => reference.blockOwnerDeletion === true)) {
      return await this.#unblock(entry, signal);
    }
    // This very version: an owner may have been added meanwhile.
    const preconditions = { uid, resourceVersion };
    await ignoringGone(
      this.#context.client.delete(entry.resource, object.metadata, {
        propagationPolicy: verdict.policy,
        preconditions,
        signal,
      }),
    );
  }

  /** True where what an object waits for waits for others, and so perhaps for the object. */
  #closesCircle(uid: string): boolean {
    return this.#graph.dependentsOf(uid).some(({ object }) => waitsForDependents(object));
  }

  /** Lets the owners of an object go before it does. */
  async #unblock({ resource, object }: Entry, signal: AbortSignal): Promise<void> {
    const { uid, ownerReferences = [] } = object.metadata;
    const free = ownerReferences.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    const patch = { metadata: { uid, ownerReferences: free } };
    await ignoringGone(this.#context.client.patch(resource, object.metadata, patch, { type: "merge", signal }));
  }

  async #orphan(entry: Entry, signal: AbortSignal): Promise<void> {
    const { uid } = entry.object.metadata;
    for (const dependent of this.#graph.dependentsOf(uid)) await this.#unlink(dependent, [uid], signal);
    await this.#removeFinalizer(entry, orphanFinalizer, signal);
  }

  async #deleteDependentsFirst(entry: Entry, signal: AbortSignal): Promise<void> {
    const { uid } = entry.object.metadata;
    const dependents = this.#graph.dependentsOf(uid);
    if (!dependents.some(({ object }) => blocks(object, uid))) {
      return this.#removeFinalizer(entry, foregroundFinalizer, signal);
    }
    for (const { object } of dependents) if (!isDeleting(object)) this.#queue.add(object.metadata.uid);
  }

  async #unlink({ resource, object }: Entry, uids: readonly string[], signal: AbortSignal): Promise<void> {
    const { uid, ownerReferences = [], resourceVersion } = object.metadata;
    const left = ownerReferences.filter((reference) => !uids.includes(reference.uid));
    const patch = { metadata: { uid, resourceVersion, ownerReferences: left } };
    await ignoringGone(this.#context.client.patch(resource, object.metadata, patch, { type: "merge", signal }));
  }

  async #removeFinalizer({ resource, object }: Entry, finalizer: string, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, finalizers: finalizers.filter((name) => name !== finalizer) } };
    await ignoringGone(this.#context.client.patch(resource, object.metadata, patch, { type: "merge", signal }));
  }
}

interface Followed {
  readonly resource: ResourceDefinition;
  readonly subscription: Disposable;
}

const placeOf = ({ group, version, plural }: ResourceDefinition): string => `${group}/${version}/${plural}`;

async function ignoringGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
