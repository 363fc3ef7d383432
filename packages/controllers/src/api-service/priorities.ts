import { type ResourceDefinition, servedResources } from "@skiff/api";

/** Where discovery lists a group, and a version in it: higher comes first. */
export interface ApiPriority {
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
}

/** What a CustomResourceDefinition's versions get. */
export const customPriority: ApiPriority = { groupPriorityMinimum: 1000, versionPriority: 100 };

/** Priorities of the built-in groups, and those of their versions that are not `v1`: 15, `v1beta…`: 9, `v1alpha…`: 1. */
const groups: Readonly<Record<string, number>> = {
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "resource.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
  "internal.apiserver.k8s.io": 16_000,
  "storagemigration.k8s.io": 15_800,
};

const versions: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "resource.k8s.io/v1": 20,
  "resource.k8s.io/v1beta2": 15,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "admissionregistration.k8s.io/v1beta1": 12,
  "admissionregistration.k8s.io/v1alpha1": 9,
  "coordination.k8s.io/v1beta1": 13,
  "coordination.k8s.io/v1alpha2": 12,
};

function versionPriority(group: string, version: string): number {
  const known = versions[`${group}/${version}`];
  if (known !== undefined) return known;
  if (version.includes("alpha")) return 1;
  return version.includes("beta") ? 9 : 15;
}

/** `v1.apps`, `v1.` for the core group. */
export const apiServiceName = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  `${version}.${group}`;

/** An APIService that this server answers itself. */
export interface LocalService extends ApiPriority {
  readonly group: string;
  readonly version: string;
}

/** Built-in groups and versions by the name of their APIService. The group of APIServices itself has none. */
export function builtInServices(
  resources: readonly ResourceDefinition[] = servedResources(),
): ReadonlyMap<string, LocalService> {
  const services = new Map<string, LocalService>();
  for (const { group, version, unpublished } of resources) {
    const groupPriorityMinimum = groups[group];
    if (groupPriorityMinimum === undefined || unpublished === true) continue;
    const priority = { groupPriorityMinimum, versionPriority: versionPriority(group, version) };
    services.set(apiServiceName({ group, version }), { group, version, ...priority });
  }
  return services;
}
