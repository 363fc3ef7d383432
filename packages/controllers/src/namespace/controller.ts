import {
  type APIService,
  APIServices,
  isNotFound,
  type KubeObject,
  type Namespace,
  Namespaces,
  Pods,
  type ResourceDefinition,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { type DeletionFailure, deletionConditions, type Remains, type UnknownGroup } from "./plan.ts";

const finalizer = "kubernetes";
/** Objects that finalizers or grace hold are looked after this often; pods tell by themselves when they are gone. */
const recheckMs = 5_000;
/** So many deletions are under way at the same time. */
const atOnce = 50;

/** Deletes what a namespace holds of the objects of the server behind an APIService, and says what is left. */
export type EmptyAggregated = (
  service: APIService,
  namespace: string,
  signal: AbortSignal,
) => Promise<readonly Remains[]>;

/** Empties namespaces that are being deleted: pods first, then the rest, then the namespace itself may go. */
export const namespaceController = (resources: ResourceSet, emptyAggregated?: EmptyAggregated): Loop =>
  defineController<Namespace>({
    name: "namespace",
    for: Namespaces,
    workers: 10,
    watches: [
      // A group that could not be read may be there again, or gone for good.
      watching(APIServices, (_service, { cached }) =>
        cached(Namespaces)
          .list()
          .map(({ metadata }) => metadata)
          .filter(({ deletionTimestamp }) => deletionTimestamp !== undefined),
      ),
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
      const emptied = await empty(namespace, { resources, emptyAggregated }, context);
      const unknown = unknownGroups(context);
      if (emptied.remains.length === 0 && emptied.failures.length === 0 && unknown.length === 0) {
        const spec = { ...namespace.spec, finalizers: finalizers.filter((name) => name !== finalizer) };
        await client.update(Namespaces, { ...namespace, spec }, { subresource: "finalize", signal });
        return done;
      }
      const conditions = deletionConditions({ namespace, ...emptied, unknown, nowMs: clock.now() });
      if (!jsonEqual(conditions, namespace.status?.conditions)) {
        const status = { ...namespace.status, phase: "Terminating", conditions };
        await client.updateStatus(Namespaces, { ...namespace, status }, { signal });
      }
      return againIn(recheckMs);
    },
  });

/** Groups that other servers answer. */
const aggregated = ({ cached }: ReconcileContext): readonly APIService[] =>
  cached(APIServices)
    .list()
    .filter(({ spec }) => spec.service !== undefined);

const isAvailable = ({ status }: APIService): boolean =>
  status?.conditions?.find(({ type }) => type === "Available")?.status === "True";

/** Those of them that do not: nobody knows what the namespace holds of them. */
const unknownGroups = (context: ReconcileContext): readonly UnknownGroup[] =>
  aggregated(context)
    .filter((service) => !isAvailable(service))
    .map(({ spec: { group = "", version = "" } }) => ({ group, version }));

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

interface Emptied {
  readonly remains: readonly Remains[];
  readonly failures: readonly DeletionFailure[];
}

/** Deletes what there is; other objects are touched only once no pod is left that may still use them. */
async function empty(
  namespace: Namespace,
  of: { readonly resources: ResourceSet; readonly emptyAggregated: EmptyAggregated | undefined },
  context: ReconcileContext,
): Promise<Emptied> {
  const { resources, emptyAggregated = async () => [] } = of;
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
  for (const service of aggregated(context).filter(isAvailable)) {
    try {
      remains.push(...(await emptyAggregated(service, name, context.signal)));
    } catch (error) {
      if (isAbort(error, context.signal)) throw error;
      const { group = "" } = service.spec;
      failures.push({ resource: { group, plural: "" }, message: describeError(error) });
    }
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
    const there = items.filter((object) => object.metadata.deletionTimestamp === undefined);
    const remove = async ({ metadata: { name } }: T) => {
      await client.delete(resource, { namespace, name }, { propagationPolicy: "Background", signal }).catch(unlessGone);
    };
    for (let at = 0; at < there.length; at += atOnce) await Promise.all(there.slice(at, at + atOnce).map(remove));
    const left = await client.list(resource, { namespace, signal });
    return { remains: left.items.length === 0 ? [] : [{ resource, objects: left.items }], failures: [] };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // A custom resource whose definition went meanwhile.
    if (isNotFound(error)) return { remains: [], failures: [] };
    return { remains: [], failures: [{ resource, message: describeError(error) }] };
  }
}
