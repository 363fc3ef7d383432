import { isNotFound, type KubeObject, type Namespace, Namespaces, Pods, type ResourceDefinition } from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { type DeletionFailure, deletionConditions, type Remains } from "./plan.ts";

const finalizer = "kubernetes";
/** Objects that finalizers or grace hold are looked after this often; pods tell by themselves when they are gone. */
const recheckMs = 5_000;

/** Empties namespaces that are being deleted: pods first, then the rest, then the namespace itself may go. */
export const namespaceController = (resources: ResourceSet): Loop =>
  defineController<Namespace>({
    name: "namespace",
    for: Namespaces,
    workers: 10,
    watches: [
      watching(Pods, ({ metadata: { namespace } }, { cached }) => {
        const found = cached(Namespaces).get(namespace);
        return found?.metadata.deletionTimestamp === undefined ? [] : [found.metadata];
      }),
    ],
    async reconcile(namespace, context) {
      const { client, clock, signal } = context;
      const finalizers = namespace.spec.finalizers ?? [];
      if (namespace.metadata.deletionTimestamp === undefined || !finalizers.includes(finalizer)) return done;
      await resources.whenKnown(signal);
      const emptied = await empty(namespace, resources, context);
      if (emptied.remains.length === 0 && emptied.failures.length === 0) {
        const spec = { ...namespace.spec, finalizers: finalizers.filter((name) => name !== finalizer) };
        await client.update(Namespaces, { ...namespace, spec }, { subresource: "finalize", signal });
        return done;
      }
      const conditions = deletionConditions({ namespace, ...emptied, nowMs: clock.now() });
      if (!jsonEqual(conditions, namespace.status?.conditions)) {
        const status = { ...namespace.status, phase: "Terminating", conditions };
        await client.updateStatus(Namespaces, { ...namespace, status }, { signal });
      }
      return againIn(recheckMs);
    },
  });

interface Emptied {
  readonly remains: readonly Remains[];
  readonly failures: readonly DeletionFailure[];
}

/** Deletes what there is; other objects are touched only once no pod is left that may still use them. */
async function empty(namespace: Namespace, resources: ResourceSet, context: ReconcileContext): Promise<Emptied> {
  const name = namespace.metadata.name;
  const pods = await emptyOf(Pods, name, context);
  if (pods.remains.length > 0 || pods.failures.length > 0) return pods;
  const rest = resources
    .all()
    .filter(({ scope, plural, group }) => scope === "namespaced" && (plural !== "pods" || group !== ""));
  const remains: Remains[] = [];
  const failures: DeletionFailure[] = [];
  for (const resource of rest) {
    const emptied = await emptyOf(resource, name, context);
    remains.push(...emptied.remains);
    failures.push(...emptied.failures);
  }
  return { remains, failures };
}

async function emptyOf<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  namespace: string,
  { client, signal }: ReconcileContext,
): Promise<Emptied> {
  try {
    const { items } = await client.list(resource, { namespace, signal });
    if (items.length === 0) return { remains: [], failures: [] };
    for (const { metadata } of items.filter((object) => object.metadata.deletionTimestamp === undefined)) {
      const ref = { namespace, name: metadata.name };
      await client.delete(resource, ref, { propagationPolicy: "Background", signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    const left = await client.list(resource, { namespace, signal });
    return { remains: left.items.length === 0 ? [] : [{ resource, objects: left.items }], failures: [] };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // A custom resource whose definition went meanwhile.
    if (isNotFound(error)) return { remains: [], failures: [] };
    return { remains: [], failures: [{ resource, message: describeError(error) }] };
  }
}
