import type { KubeObject, ObjectRef, ResourceDefinition } from "@skiff/api";
import type { Clock, Logger, Random } from "@skiff/base";
import type { Client, EventRecorder, Informer } from "@skiff/client";
import { ControllerRunner } from "./controller-runner.ts";
import type { Loop, LoopContext } from "./loop.ts";
import type { Outcome } from "./outcome.ts";

/** What a reconciliation reads from. */
export interface Caches {
  /** The cache of a resource that the controller named in `for`, `owns`, `watches` or `reads`. */
  cached<T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T>;
  /** Objects whose controller (by owner reference) is `owner`. */
  owned<T extends KubeObject>(resource: ResourceDefinition<T>, owner: KubeObject): readonly T[];
}

export interface ReconcileContext extends Caches {
  /** Its writes are waited for: the next reconciliation of the same key sees them in the caches. */
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Other objects whose changes concern the controller. */
export interface Watch {
  readonly resource: ResourceDefinition;
  /** Which of the controller's objects a change of `object` concerns. Asked for the old and for the new state. */
  keys(object: KubeObject, caches: Caches): readonly ObjectRef[];
  /** Whether the controller cares for what has changed. Every change matters where absent. */
  matters?(old: KubeObject, object: KubeObject): boolean;
}

/** A `Watch` with its types. */
export function watching<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  keys: (object: T, caches: Caches) => readonly ObjectRef[],
  matters: (old: T, object: T) => boolean = () => true,
): Watch {
  return { resource, ...methodsOf(keys, matters) };
}

/** The runner hands a watch only objects of its own resource; as methods they may say what they are. */
function methodsOf<T extends KubeObject>(
  keys: (object: T, caches: Caches) => readonly ObjectRef[],
  matters: (old: T, object: T) => boolean,
): {
  keys(object: T, caches: Caches): readonly ObjectRef[];
  matters(old: T, object: T): boolean;
} {
  return { keys, matters };
}

/** Objects that a controller makes, of which not every change matters to it. */
export interface Owned {
  readonly resource: ResourceDefinition;
  matters(old: KubeObject, object: KubeObject): boolean;
  /** How long a change may wait, so that others are looked at together with it. None waits where absent. */
  mayWaitMs?(old: KubeObject, object: KubeObject): number;
}

/** An `Owned` with its types. */
export function owning<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  rules: { matters(old: T, object: T): boolean; mayWaitMs?(old: T, object: T): number },
): Owned {
  return { resource, ...rules };
}

export interface ControllerDefinition<T extends KubeObject> {
  /** As in `replica-set`. */
  readonly name: string;
  /** How its events are signed; `NAME-controller` without dashes in the name where absent, as Kubernetes does. */
  readonly component?: string;
  /** The objects that are reconciled, one key each. */
  readonly for: ResourceDefinition<T>;
  /** Whether an object is any of its business; all are where absent. Of objects that are gone it hears in any case. */
  concerns?(object: T): boolean;
  /** Whether a change of an object is. Every change is where absent. */
  matters?(old: T, object: T): boolean;
  /** Objects that it creates: their changes concern the controller that their owner reference names. */
  readonly owns?: readonly (ResourceDefinition | Owned)[];
  /**
   * `known`: what a reconciliation has written to its object or to those that this owns is no reason for another. It must come to
   * an end by itself, or say `againIn`: nobody calls it again for what it did.
   */
  readonly ownWrites?: "known" | "news";
  /** Objects that shall be there: looked at from the start, whether they are or not (then `gone` hears of them). */
  readonly expected?: readonly ObjectRef[];
  readonly watches?: readonly Watch[];
  /** Listens to whatever no `Watch` can name, such as resources that come and go: `wake` has an object looked at. */
  listen?(context: LoopContext, wake: (ref: ObjectRef) => void): Disposable;
  /** Resources that are read from caches without their changes mattering. */
  readonly reads?: readonly ResourceDefinition[];
  /** How many objects are worked on at the same time; 5 where absent. */
  readonly workers?: number;
  /** How long an object is left alone after it was worked on, so that bursts of changes are worked on together; 0 where absent. */
  readonly restMs?: number;
  /** Makes the world as the object says. Throwing means: again, later. */
  reconcile(object: T, context: ReconcileContext): Promise<Outcome>;
  /** The object is gone, or was never there. Nothing is done where absent. */
  gone?(ref: ObjectRef, context: ReconcileContext): Promise<Outcome>;
}

/**
 * A control loop around `reconcile`: caches, a queue of keys, workers, retries.
 *
 * @example
 * export const replicaSetController = defineController({
 *   name: "replica-set",
 *   for: ReplicaSets,
 *   owns: [Pods],
 *   async reconcile(set, { client, owned, signal }) {
 *     const plan = planReplicas(set, owned(Pods, set));
 *     for (const pod of plan.create) await client.create(Pods, pod, { signal });
 *     return done;
 *   },
 * });
 */
export function defineController<T extends KubeObject>(definition: ControllerDefinition<T>): Loop {
  return {
    name: definition.name,
    component: definition.component ?? `${definition.name.replaceAll("-", "")}-controller`,
    start: (context) => new ControllerRunner(definition, context),
  };
}
