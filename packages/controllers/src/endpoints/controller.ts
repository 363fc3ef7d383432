import { Endpoints, isNotFound, namespaceTerminates, Pods, type Service, Services } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { defineController, done, watching } from "@skiff/control-loop";
import { selects, servicesOf } from "../service-pods/service-pods.ts";
import { endpointsLabels, planSubsets } from "./plan.ts";

/** The older form of endpoint slices, one object a Service, kept for those who still read it. */
export const endpointsController = defineController<Service>({
  name: "endpoints",
  component: "endpoint-controller",
  for: Services,
  restMs: 50,
  watches: [
    watching(Pods, (pod, caches) => servicesOf(pod, caches).map(({ metadata }) => metadata)),
    watching(Endpoints, ({ metadata }) => [metadata]),
  ],
  async reconcile(service, { client, cached, signal }) {
    const { selector, type } = service.spec;
    if (selector === undefined || type === "ExternalName") return done;
    const { namespace, name } = service.metadata;
    const pods = cached(Pods)
      .list(namespace)
      .filter(({ metadata }) => selects(selector, metadata.labels));
    const subsets = planSubsets(service, pods);
    const labels = endpointsLabels(service);
    const before = cached(Endpoints).get(name, namespace);
    if (before === undefined) {
      await client
        .create(Endpoints, { metadata: { name, namespace, labels }, subsets }, { signal })
        .catch((error: unknown) => {
          // Nothing can be made in a namespace that goes: the Service goes as well.
          if (!namespaceTerminates(error)) throw error;
        });
    } else if (!jsonEqual(before.subsets ?? [], subsets) || !jsonEqual(before.metadata.labels ?? {}, labels)) {
      await client.update(Endpoints, { ...before, metadata: { ...before.metadata, labels }, subsets }, { signal });
    }
    return done;
  },
  async gone(ref, { client, cached, signal }) {
    // Endpoints of a name without a Service may be somebody's own; those that we made say so.
    const left = cached(Endpoints).get(ref.name, ref.namespace);
    if (left?.metadata.labels?.["endpoints.kubernetes.io/managed-by"] !== "endpoint-controller") return done;
    await client.delete(Endpoints, ref, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return done;
  },
});
