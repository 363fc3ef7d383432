import { EndpointSlices, Endpoints, Services } from "@skiff/api";
import { defineController, done, type Loop, watching } from "@skiff/control-loop";
import { managedByLabel, serviceNameLabel } from "../endpoint-slice/plan.ts";
import { writeSlices } from "../endpoint-slice/write-slices.ts";
import { isMirrored, mirroredBy, planMirror } from "./plan.ts";

const byService = "service, mirrored";

/** Shows Endpoints that are kept by hand, for Services without a selector, as slices: proxies read only those. */
export const endpointSliceMirroringController: Loop = defineController<Endpoints>({
  name: "endpoint-slice-mirroring",
  component: "endpoint-slice-mirroring-controller",
  for: Endpoints,
  restMs: 50,
  watches: [
    watching(Services, ({ metadata }) => [metadata]),
    watching(EndpointSlices, ({ metadata: { namespace, labels } }) => {
      const name = labels?.[serviceNameLabel];
      return name === undefined || labels?.[managedByLabel] !== mirroredBy ? [] : [{ namespace, name }];
    }),
  ],
  async reconcile(endpoints, context) {
    const { cached } = context;
    const { namespace, name } = endpoints.metadata;
    const service = cached(Services).get(name, namespace);
    const wanted = service !== undefined && service.spec.selector === undefined && isMirrored(endpoints);
    const cache = cached(EndpointSlices);
    cache.addIndex(byService, ({ metadata: { labels, namespace } }) =>
      labels?.[managedByLabel] === mirroredBy ? [`${namespace}/${labels[serviceNameLabel]}`] : [],
    );
    const slices = cache.byIndex(byService, `${namespace}/${name}`);
    await writeSlices(wanted ? planMirror(endpoints, slices) : { create: [], update: [], remove: slices }, context);
    return done;
  },
});
