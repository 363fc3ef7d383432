import {
  DeviceClasses,
  isPodTerminal,
  type KubeObject,
  type PersistentVolumeClaim,
  type Pod,
  Pods,
  type QuotaSources,
  ResourceClaims,
  type ResourceDefinition,
  type ResourceQuota,
  ResourceQuotas,
  type Service,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { CacheChange } from "@skiff/client";
import { againIn, defineController, done, type Loop, type LoopContext } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { type Countable, isLimited, quotaAction, quotaStatus } from "./plan.ts";

/** Kubernetes counts everything anew so often. */
const resyncMs = 5 * 60_000;
/** A quota that nobody has charged for so long has no objects on their way to the store. */
const quietMs = 1_000;

interface Seen {
  readonly version: string;
  readonly sinceMs: number;
}

/** Counts what namespaces use of their quotas; admission charges in between. */
export function resourceQuotaController(resources: ResourceSet): Loop {
  /** Namespaces in which something that counted is gone since their quotas were looked at, by uid of the quota. */
  const released = new Set<string>();
  const seen = new Map<string, Seen>();
  let informers: LoopContext["informers"] | undefined;
  return defineController<ResourceQuota>({
    name: "resource-quota",
    component: "resourcequota-controller",
    for: ResourceQuotas,
    restMs: 100,
    listen(context, wake) {
      informers = context.informers;
      const quotas = context.informers.for(ResourceQuotas);
      return followAll(resources, context, (resource, change) => {
        const { namespace } = change.object.metadata;
        if (namespace === undefined || !concerns(resource, change)) return;
        for (const { metadata } of quotas.list(namespace)) {
          if (change.kind !== "added") released.add(metadata.uid);
          wake(metadata);
        }
      });
    },
    async reconcile(quota, { client, clock, signal }) {
      await resources.whenKnown(signal);
      if (informers === undefined) return done;
      const { uid, namespace, resourceVersion: version } = quota.metadata;
      const countables: Countable[] = [];
      const sources = sourcesOf(informers);
      for (const resource of countedOf(resources).filter((one) => isLimited(quota, one, sources))) {
        const informer = informers.for(resource);
        if (!informer.synced) return againIn(quietMs);
        countables.push({ resource, objects: informer.list(namespace) });
      }
      const wanted = quotaStatus(quota, countables, { nowMs: clock.now(), sources });
      const nowMs = clock.monotonic();
      const before = seen.get(uid);
      const since = before?.version === version ? before.sinceMs : nowMs;
      seen.set(uid, { version, sinceMs: since });
      const known = { released: released.delete(uid), quiet: nowMs - since >= quietMs };
      switch (quotaAction(quota.status, wanted, known)) {
        case "nothing":
          return againIn(resyncMs);
        case "wait":
          return againIn(quietMs);
        case "write":
          await client.updateStatus(
            ResourceQuotas,
            { ...quota, status: { hard: { ...wanted.hard }, used: { ...wanted.used } } },
            { signal },
          );
          return againIn(resyncMs);
      }
    },
    async gone() {
      const there = new Set(
        informers
          ?.for(ResourceQuotas)
          .list()
          .map(({ metadata }) => metadata.uid),
      );
      for (const uid of seen.keys()) if (!there.has(uid)) seen.delete(uid);
      return done;
    },
  });
}

const sourcesOf = (informers: LoopContext["informers"]): QuotaSources => ({
  deviceClasses: () => informers.for(DeviceClasses).list(),
  pod: ({ namespace, name }) => informers.for(Pods).get(name, namespace),
  resourceClaims: (namespace) => informers.for(ResourceClaims).list(namespace),
});

/** Whatever lives in namespaces counts, Events aside. */
const countedOf = (resources: ResourceSet): readonly ResourceDefinition[] =>
  resources.all().filter(({ scope, kind }) => scope === "namespaced" && kind !== "Event");

/** Hears of changes of all resources that there are, custom ones as they come. */
function followAll(
  resources: ResourceSet,
  { informers }: LoopContext,
  hear: (resource: ResourceDefinition, change: CacheChange<KubeObject>) => void,
): Disposable {
  const stack = new DisposableStack();
  const followed = new Set<string>();
  const follow = () => {
    for (const resource of countedOf(resources)) {
      const key = `${resource.group}/${resource.kind}`;
      if (followed.has(key)) continue;
      followed.add(key);
      stack.use(informers.for(resource).onChange((change) => hear(resource, change)));
    }
  };
  stack.use(resources.onChange(follow));
  follow();
  return stack;
}

type Watched = Pod & Service & PersistentVolumeClaim;
const isWatched = (_object: KubeObject): _object is Watched => true;

/** Whether a change may free something, or count something that admission did not see. */
function concerns(resource: ResourceDefinition, change: CacheChange<KubeObject>): boolean {
  if (change.kind !== "updated") return true;
  const { object, old } = change;
  if (resource.group !== "" || !isWatched(object) || !isWatched(old)) return false;
  switch (resource.plural) {
    case "pods":
      return isPodTerminal(object) !== isPodTerminal(old) || !jsonEqual(resourcesOf(object), resourcesOf(old));
    case "services":
      return object.spec?.type !== old.spec?.type || object.spec?.ports?.length !== old.spec?.ports?.length;
    case "persistentvolumeclaims":
      return (
        !jsonEqual(object.spec?.resources, old.spec?.resources) ||
        !jsonEqual(object.status?.allocatedResources, old.status?.allocatedResources) ||
        object.spec?.volumeAttributesClassName !== old.spec?.volumeAttributesClassName
      );
    default:
      return false;
  }
}

const resourcesOf = ({ spec }: Pod) => [spec.resources, ...spec.containers.map(({ resources }) => resources)];
