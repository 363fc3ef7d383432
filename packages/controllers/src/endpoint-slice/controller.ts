import { EndpointSlices, Nodes, Pods, type Service, Services } from "@skiff/api";
import { defineController, done, watching } from "@skiff/control-loop";
import { selects, servicesOf } from "../service-pods/service-pods.ts";
import { managedBy, managedByLabel, planEndpointSlices, serviceNameLabel } from "./plan.ts";
import { writeSlices } from "./write-slices.ts";

const byService = "service, of this controller";

/** Says where each Service's pods are. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
export const endpointSliceController = defineController<Service>({
  name: "endpoint-slice",
  component: "endpoint-slice-controller",
  for: Services,
  restMs: 50,
  watches: [
    watching(Pods, (pod, caches) => servicesOf(pod, caches).map(({ metadata }) => metadata)),
    watching(EndpointSlices, ({ metadata }) => {
      const name = metadata.labels?.[serviceNameLabel];
      const own = metadata.labels?.[managedByLabel] === managedBy;
      return name === undefined || !own ? [] : [{ namespace: metadata.namespace, name }];
    }),
  ],
  reads: [Nodes],
  async reconcile(service, context) {
    const { cached } = context;
    const { selector, type } = service.spec;
    const leaves = service.metadata.deletionTimestamp !== undefined;
    if (selector === undefined || type === "ExternalName" || leaves) return done;
    const { namespace, name } = service.metadata;
    const cache = cached(EndpointSlices);
    cache.addIndex(byService, ({ metadata: { labels, namespace } }) =>
      labels?.[managedByLabel] === managedBy ? [`${namespace}/${labels[serviceNameLabel]}`] : [],
    );
    const plan = planEndpointSlices({
      service,
      pods: cached(Pods)
        .list(namespace)
        .filter(({ metadata }) => selects(selector, metadata.labels)),
      slices: cache
        .byIndex(byService, `${namespace}/${name}`)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined),
      nodeNamed: (node) => cached(Nodes).get(node),
    });
    await writeSlices(plan, context);
    return done;
  },
});
