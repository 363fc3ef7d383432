import { controllerOf, isConflict, type KubeObject, type ObjectRef, type ResourceDefinition } from "@skiff/api";
import { aborted, assert, Background, describeError, isAbort, type Timer } from "@skiff/base";
import type { CacheChange, Informer } from "@skiff/client";
import type { Caches, ControllerDefinition, Owned, Watch } from "./define-controller.ts";
import type { LoopContext, LoopStats, RunningLoop } from "./loop.ts";
import { WorkQueue } from "./work-queue.ts";
import { resourceKey, WrittenRevisions } from "./written-revisions.ts";

const defaultWorkers = 5;
/**
 * A cache that shows nothing of a write for this long will not show it: the object's watch leaves it out. One that has lost its watch
 * again and again may be behind for a minute and more; whoever went on then would make things twice.
 */
const unseenLimitMs = 300_000;
const controllerIndex = "controller uid";

interface Waiting {
  readonly key: string;
  readonly written: WrittenRevisions;
  readonly timer: Timer;
}

/** Runs one controller: from changes in caches to keys, from keys to reconciliations. */
export class ControllerRunner<T extends KubeObject> implements RunningLoop {
  readonly #definition: ControllerDefinition<T>;
  readonly #context: LoopContext;
  readonly #background: Background;
  readonly #queue: WorkQueue;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  readonly #own: Informer<T>;
  readonly #caches: Caches;
  readonly #subscriptions: Disposable[] = [];
  /** Keys that wait for the caches to show what was written for them. */
  readonly #waiting = new Map<string, Waiting>();
  /** What wakes them. Nobody listens while nothing waits, as most of the time. */
  #listening: readonly Disposable[] = [];
  readonly #written = new Map<string, WrittenRevisions>();
  /** Versions that were heard of while their key was worked on: perhaps they are what the work has written. */
  readonly #heardMeanwhile = new Map<string, string[]>();
  #synced = false;
  #pumping = false;
  #succeeded = 0;
  #failed = 0;

  constructor(definition: ControllerDefinition<T>, context: LoopContext) {
    this.#definition = definition;
    this.#context = context;
    this.#background = new Background({ logger: context.logger });
    const { restMs = 0 } = definition;
    this.#queue = new WorkQueue({ clock: context.clock, restMs, onReady: () => this.#pumpSoon() });
    this.#caches = { cached: (resource) => this.#cached(resource), owned: (...of) => this.#owned(...of) };
    this.#own = this.#open(definition.for);
    this.#background.run("start", (signal) => this.#start(signal));
  }

  stats(): LoopStats {
    return {
      name: this.#definition.name,
      queued: this.#queue.size,
      active: this.#queue.active,
      queue: this.#queue.stats(),
      succeeded: this.#succeeded,
      failed: this.#failed,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#listenNoMore();
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#queue[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
    // Whatever was under way may have asked for another attempt.
    this.#queue[Symbol.dispose]();
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { owns = [], watches = [], reads = [] } = this.#definition;
    const owned = owns.map(ownedOf);
    for (const { resource } of [...owned, ...watches]) this.#open(resource);
    for (const resource of reads) this.#open(resource);
    for (const { resource } of owned) this.#indexOwners(this.#cached(resource));
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)));
    this.#subscriptions.push(
      this.#own.onChange((change) => {
        const { kind, object } = change;
        if (kind !== "deleted" && this.#definition.concerns?.(object) === false) return;
        if (kind === "updated" && this.#definition.matters?.(change.old, object) === false) return;
        this.#hear(keyOf(object.metadata), change);
      }),
    );
    for (const ref of this.#definition.expected ?? []) this.#queue.add(keyOf(ref));
    for (const one of owned) this.#subscribeOwned(one);
    for (const watch of watches) this.#subscribe(watch);
    const listening = this.#definition.listen?.(this.#context, (ref) => this.#queue.add(keyOf(ref)));
    if (listening !== undefined) this.#subscriptions.push(listening);
    this.#synced = true;
    this.#pumpSoon();
    await aborted(signal);
  }

  #open<R extends KubeObject>(resource: ResourceDefinition<R>): Informer<R> {
    const informer = this.#context.informers.for(resource);
    this.#informers.set(resourceKey(resource), informer);
    return informer;
  }

  #cached<R extends KubeObject>(resource: ResourceDefinition<R>): Informer<R> {
    assert(
      this.#informers.has(resourceKey(resource)),
      `the controller ${this.#definition.name} names ${resource.plural} among its resources`,
    );
    return this.#context.informers.for(resource);
  }

  #owned<R extends KubeObject>(resource: ResourceDefinition<R>, owner: KubeObject): readonly R[] {
    const informer = this.#cached(resource);
    this.#indexOwners(informer);
    return informer.byIndex(controllerIndex, owner.metadata.uid);
  }

  #indexOwners<R extends KubeObject>(informer: Informer<R>): void {
    informer.addIndex(controllerIndex, (object) => {
      const owner = controllerOf(object);
      return owner === undefined ? [] : [owner.uid];
    });
  }

  #ownersOf(object: KubeObject): readonly ObjectRef[] {
    const owner = controllerOf(object);
    const { kind } = this.#definition.for;
    if (owner?.kind !== kind || groupOf(owner.apiVersion) !== this.#definition.for.group) return [];
    return [{ namespace: object.metadata.namespace, name: owner.name }];
  }

  #subscribeOwned({ resource, matters, mayWaitMs }: Owned): void {
    const hear = (change: CacheChange<KubeObject>) => {
      const update = change.kind === "updated";
      if (update && !matters(change.old, change.object)) return;
      const waitMs = update ? (mayWaitMs?.(change.old, change.object) ?? 0) : 0;
      const states = update ? [change.old, change.object] : [change.object];
      for (const key of new Set(states.flatMap((state) => this.#ownersOf(state)).map(keyOf))) {
        if (waitMs > 0) this.#queue.addAfter(key, waitMs);
        else this.#hear(key, change);
      }
    };
    this.#subscriptions.push(this.#cached(resource).onChange(hear));
  }

  /** Has a key looked at because of a change, unless what is looked at has been written for it. */
  #hear(key: string, { kind, object }: CacheChange<KubeObject>): void {
    const { resourceVersion } = object.metadata;
    if (this.#definition.ownWrites !== "known" || kind === "deleted") this.#queue.add(key);
    else if (this.#written.get(key)?.includes(resourceVersion)) return;
    else if (this.#queue.isActive(key)) {
      const heard = this.#heardMeanwhile.get(key);
      if (heard === undefined) this.#heardMeanwhile.set(key, [resourceVersion]);
      else heard.push(resourceVersion);
    } else this.#queue.add(key);
  }

  #subscribe(watch: Watch): void {
    const hear = (change: CacheChange<KubeObject>) => {
      if (change.kind === "updated" && watch.matters?.(change.old, change.object) === false) return;
      const states = change.kind === "updated" ? [change.old, change.object] : [change.object];
      for (const state of states) for (const ref of watch.keys(state, this.#caches)) this.#queue.add(keyOf(ref));
    };
    this.#subscriptions.push(this.#cached(watch.resource).onChange(hear));
  }

  /** Work starts in a turn of its own: a burst of changes of one object is one reconciliation. */
  #pumpSoon(): void {
    if (this.#pumping || !this.#synced) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const workers = this.#definition.workers ?? defaultWorkers;
    while (this.#queue.active - this.#waiting.size < workers && !this.#background.signal.aborted) {
      const key = this.#queue.take();
      if (key === undefined) return;
      const written = this.#written.get(key);
      if (written === undefined || written.allSeen()) this.#work(key);
      else this.#wait(key, written);
    }
  }

  /** A waiting key counts as taken, so that nobody else works on it. */
  #wait(key: string, written: WrittenRevisions): void {
    const timer = this.#context.clock.after(unseenLimitMs, () => {
      written.clear();
      this.#checkWaiting();
    });
    this.#waiting.set(key, { key, written, timer });
    if (this.#listening.length > 0) return;
    const informers = [...this.#informers.values()];
    this.#listening = informers.map((informer) => informer.onRevision(() => this.#checkWaiting()));
  }

  #checkWaiting(): void {
    for (const { key, written, timer } of this.#waiting.values()) {
      if (!written.allSeen()) continue;
      timer.cancel();
      this.#waiting.delete(key);
      this.#queue.release(key);
    }
    if (this.#waiting.size === 0) this.#listenNoMore();
  }

  #listenNoMore(): void {
    for (const subscription of this.#listening) subscription[Symbol.dispose]();
    this.#listening = [];
  }

  #work(key: string): void {
    this.#background.run(`${this.#definition.name} ${key}`, async (signal) => {
      // Never inside the listener that found the work.
      await Promise.resolve();
      const succeeded = await this.#reconcile(key, signal);
      const written = this.#written.get(key);
      if (this.#heardMeanwhile.get(key)?.some((version) => written?.includes(version) !== true)) this.#queue.add(key);
      this.#heardMeanwhile.delete(key);
      this.#queue.finish(key, { succeeded });
      this.#pumpSoon();
    });
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<boolean> {
    const { logger, recorder, clock, random } = this.#context;
    const written = new WrittenRevisions((resource) =>
      this.#informers.has(resourceKey(resource)) ? this.#context.informers.for(resource) : undefined,
    );
    const client = written.following(this.#context.client);
    this.#written.set(key, written);
    try {
      const context = { ...this.#caches, client, recorder, clock, random, logger, signal };
      const ref = refOf(key);
      const object = this.#own.get(ref.name, ref.namespace);
      if (object === undefined) this.#written.delete(key);
      const outcome =
        object === undefined
          ? await this.#definition.gone?.(ref, context)
          : await this.#definition.reconcile(object, context);
      this.#succeeded++;
      if (outcome?.kind === "again") this.#queue.addAfter(key, outcome.delayMs);
      return true;
    } catch (error) {
      if (!isAbort(error, signal)) this.#failedWith(key, error, logger);
      return false;
    }
  }

  #failedWith(key: string, error: unknown, logger: LoopContext["logger"]): void {
    this.#failed++;
    const failures = this.#queue.retry(key);
    const text = `cannot reconcile ${this.#definition.for.plural} ${key}: ${describeError(error)}`;
    // Somebody else was faster: the newer state is on its way, nothing is wrong.
    if (isConflict(error) || failures === 1) logger.debug(text);
    else logger.warn(text, { failures });
  }
}

const ownedOf = (of: ResourceDefinition | Owned): Owned =>
  "resource" in of ? of : { resource: of, matters: () => true };

const keyOf = ({ namespace, name }: ObjectRef): string => (namespace === undefined ? name : `${namespace}/${name}`);

function refOf(key: string): ObjectRef {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");
