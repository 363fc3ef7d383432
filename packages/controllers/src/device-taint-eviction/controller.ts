import { type DynamicResourceClaim, isPodTerminal, type Pod, Pods, ResourceClaims, ResourceSlices } from "@skiff/api";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { deletePod, markDisrupted } from "../pod-disruption.ts";
import { placeOf } from "../resource-claim/plan.ts";
import { evictionAtMs } from "./plan.ts";

const byPool = "pool of its devices";
const reason = "DeviceTaintManagerEviction";

const usersOf = ({ metadata, status }: DynamicResourceClaim) =>
  (status?.reservedFor ?? []).flatMap(({ resource, name }) =>
    resource === "pods" ? [{ namespace: metadata.namespace, name }] : [],
  );

/**
 * Takes pods away whose devices have `NoExecute` taints, each after the time that its claim tolerates.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-taints-and-tolerations
 */
export function deviceTaintEvictionController(): Loop {
  /** Pods that are to go, by namespace and name. */
  const marked = new Set<string>();
  return defineController<Pod>({
    name: "device-taint-eviction",
    component: "device-taint-eviction-controller",
    for: Pods,
    concerns: ({ spec }) => !!spec.nodeName && (spec.resourceClaims ?? []).length > 0,
    watches: [
      watching(ResourceClaims, usersOf),
      watching(ResourceSlices, ({ spec }, { cached }) => {
        const claims = cached(ResourceClaims);
        claims.addIndex(byPool, ({ status }) =>
          (status?.allocation?.devices?.results ?? []).map(({ driver, pool }) => `${driver}/${pool}`),
        );
        return claims.byIndex(byPool, `${spec.driver}/${spec.pool.name}`).flatMap(usersOf);
      }),
    ],
    async reconcile(pod, context) {
      const { clock, recorder } = context;
      const { namespace, name, deletionTimestamp } = pod.metadata;
      const key = `${namespace}/${name}`;
      const atMs = goesAtMs(pod, context);
      if (atMs === undefined || deletionTimestamp !== undefined || isPodTerminal(pod)) {
        if (marked.delete(key) && deletionTimestamp === undefined)
          recorder.record(Pods, pod, { type: "Normal", reason, message: "Cancelling deletion" });
        return done;
      }
      marked.add(key);
      const leftMs = atMs - clock.now();
      if (leftMs > 0) return againIn(leftMs);
      recorder.record(Pods, pod, { type: "Normal", reason, message: "Marking for deletion" });
      const message = "Device Taint manager: deleting due to NoExecute taint";
      await markDisrupted(pod, { reason: "DeletionByDeviceTaintManager", message }, context);
      await deletePod(pod, {}, context);
      marked.delete(key);
      return done;
    },
    async gone({ namespace, name }) {
      marked.delete(`${namespace}/${name}`);
      return done;
    },
  });
}

/** When the pod has to go because of what it uses; `undefined`: it may stay. */
function goesAtMs(pod: Pod, { cached, clock }: ReconcileContext): number | undefined {
  const slices = cached(ResourceSlices).list();
  const times = (pod.spec.resourceClaims ?? []).flatMap((podClaim) => {
    const place = placeOf(pod, podClaim);
    const claim = place.kind === "named" ? cached(ResourceClaims).get(place.name, pod.metadata.namespace) : undefined;
    const uses = claim?.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) === true;
    return claim === undefined || !uses ? [] : (evictionAtMs(claim, slices, clock.now()) ?? []);
  });
  return times.length === 0 ? undefined : Math.min(...times);
}
