import {
  type APIService,
  APIServices,
  CustomResourceDefinitions,
  EndpointSlices,
  isAlreadyExists,
  isNotFound,
  Services,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual, KeyedBackoff } from "@skiff/base";
import { againIn, type Caches, defineController, done, type Loop, watching } from "@skiff/control-loop";
import {
  type Availability,
  availableConditions,
  failedDiscovery,
  localAvailability,
  localService,
  managedLabel,
  passed,
  serviceProblem,
} from "./plan.ts";
import { apiServiceName, builtInServices, customPriority } from "./priorities.ts";

/** Asks an aggregated API server for the discovery of its group and version. Rejects when that fails, saying why. */
export type CheckDiscovery = (service: APIService, signal: AbortSignal) => Promise<void>;

/** What nobody can watch (a process, a network) is looked at this often. */
const recheckMs = 30_000;
const failurePolicy = { initialMs: 250, maxMs: recheckMs };
const serviceName = "kubernetes.io/service-name";
const builtIn = builtInServices();

/** The APIService that shall be there under a name for what this server serves itself. */
function wantedService(name: string, { cached }: Caches) {
  const known = builtIn.get(name);
  if (known !== undefined) return localService(known, "onstart");
  for (const { spec, metadata } of cached(CustomResourceDefinitions).list()) {
    if (metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length) continue;
    for (const version of spec.versions) {
      const place = { group: spec.group, version: version.name };
      if (version.served && apiServiceName(place) === name)
        return localService({ ...place, ...customPriority }, "true");
    }
  }
  return undefined;
}

/** APIServices that a Service stands behind. */
const behind = (place: { readonly namespace: string | undefined; readonly name: string | undefined }, caches: Caches) =>
  caches
    .cached(APIServices)
    .list()
    .filter(({ spec }) => spec.service?.name === place.name && spec.service?.namespace === place.namespace)
    .map(({ metadata }) => ({ name: metadata.name }));

/**
 * Keeps an APIService for every group and version that the server serves itself, and finds out of all others whether the
 * servers behind them answer. https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
export function apiServiceController(check: CheckDiscovery): Loop {
  const seenTo = new Set<string>();
  const failures = new KeyedBackoff<string>(failurePolicy);
  return defineController<APIService>({
    name: "api-service",
    component: "kube-apiserver",
    for: APIServices,
    expected: [...builtIn.keys()].map((name) => ({ name })),
    watches: [
      watching(CustomResourceDefinitions, ({ spec }) =>
        spec.versions.map(({ name: version }) => ({ name: apiServiceName({ group: spec.group, version }) })),
      ),
      watching(Services, ({ metadata }, caches) => behind(metadata, caches)),
      watching(EndpointSlices, ({ metadata }, caches) =>
        behind({ namespace: metadata.namespace, name: metadata.labels?.[serviceName] }, caches),
      ),
    ],
    async reconcile(service, context) {
      const { client, cached, clock, signal } = context;
      const { name, labels, deletionTimestamp } = service.metadata;
      if (deletionTimestamp !== undefined) return done;
      const managed = labels?.[managedLabel];
      const wanted = wantedService(name, context);
      // Of what this server answers only until another does it there is none: whoever installs that other brings it along.
      const isLeft = managed === "true" || (managed === "onstart" && !service.spec.service);
      if (isLeft && wanted === undefined) {
        await client.delete(APIServices, service.metadata, { signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
        return done;
      }
      // What is built in is seen to once, when the server starts: an administrator may put another server in its place.
      const follows = managed === "true" || (managed === "onstart" && !seenTo.has(name));
      if (follows && wanted !== undefined && !jsonEqual(service.spec, wanted.spec)) {
        await client.update(APIServices, { ...service, spec: wanted.spec }, { signal });
        return done;
      }
      seenTo.add(name);
      const { spec } = service;
      let finding: Availability = localAvailability;
      if (spec.service) {
        const { namespace = "", name: serviceIs = "" } = spec.service;
        const slices = cached(EndpointSlices)
          .list(namespace)
          .filter(({ metadata }) => metadata.labels?.[serviceName] === serviceIs);
        finding =
          serviceProblem(spec.service, cached(Services).get(serviceIs, namespace), slices) ??
          (await discovered(service, check, signal));
      }
      const conditions = availableConditions(service, finding, clock.now());
      if (conditions !== undefined) {
        await client.updateStatus(APIServices, { ...service, status: { ...service.status, conditions } }, { signal });
      }
      if (!spec.service) return done;
      if (finding.status === "True") {
        failures.reset(name);
        return againIn(recheckMs);
      }
      return againIn(failures.fail(name));
    },
    async gone({ name }, context) {
      failures.reset(name);
      const wanted = wantedService(name, context);
      const staysAway = builtIn.has(name) && seenTo.has(name);
      if (wanted === undefined || staysAway) return done;
      const { client, signal } = context;
      await client.create(APIServices, wanted, { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      return done;
    },
  });
}

async function discovered(service: APIService, check: CheckDiscovery, signal: AbortSignal): Promise<Availability> {
  try {
    await check(service, signal);
    return passed;
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return failedDiscovery(describeError(error));
  }
}
