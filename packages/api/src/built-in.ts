import { present } from "@skiff/base";
import { defineResource, type ResourceRules } from "./define-resource.ts";
import { resourceFacts } from "./generated/resources.ts";
import * as definitions from "./kinds/definitions.ts";
import { removedVersion } from "./kinds/removed/removed-version.ts";
import { removedVersions } from "./kinds/removed/removed-versions.ts";
import type { DynamicObject, KubeObject } from "./object.ts";
import { apiVersionOf, type ResourceDefinition, type StoredAs } from "./resource-definition.ts";
import type { ResourceFact } from "./schema/notation.ts";

/** How far a version has come: `v1` is `ga`, `v1beta1` is `beta`, `v1alpha1` is `alpha`. */
export type Stability = "ga" | "beta" | "alpha";

/** The stability that a version's name tells. */
export function stabilityOf(version: string): Stability {
  if (version.includes("alpha")) return "alpha";
  return version.includes("beta") ? "beta" : "ga";
}

const place = ({ group, version, plural }: { group: string; version: string; plural: string }): string =>
  `${group}/${version}/${plural}`;

const written: ReadonlyMap<string, ResourceDefinition> = new Map(
  Object.values(definitions).map((definition): [string, ResourceDefinition] => [place(definition), definition]),
);

const ranks: Readonly<Record<Stability, number>> = { ga: 2, beta: 1, alpha: 0 };

/** The version that objects are stored in, where a kind has several: the most stable, then the newest. */
function storedVersion(fact: ResourceFact): string {
  const versions = resourceFacts
    .filter(({ group, plural }) => group === fact.group && plural === fact.plural)
    .map(({ version }) => version)
    .sort((a, b) => ranks[stabilityOf(b)] - ranks[stabilityOf(a)] || b.localeCompare(a));
  return versions[0] ?? fact.version;
}

/** Versions of a kind that differ by name only are views of one stored object. */
function sameUnderAnotherVersion(fact: ResourceFact): StoredAs | undefined {
  const version = storedVersion(fact);
  if (version === fact.version) return undefined;
  const stored = { group: fact.group, version };
  return {
    ...stored,
    plural: fact.plural,
    toStored: (object: DynamicObject) => ({ ...object, apiVersion: apiVersionOf(stored) }),
    fromStored: (object: DynamicObject) => ({ ...object, apiVersion: apiVersionOf(fact) }),
  };
}

/** Kinds without a status whose changes are counted all the same. */
const counted = new Set(["mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "resourceslices"]);

/** Kinds that have a status, but whose changes Kubernetes does not count. */
const uncounted = new Set(["resourceclaims", "servicecidrs", "storageversions", "volumeattachments"]);

function generationOf({ plural }: ResourceFact): Pick<ResourceRules<KubeObject>, "generation"> {
  if (counted.has(plural)) return { generation: "object" };
  return uncounted.has(plural) ? { generation: "none" } : {};
}

/** A resource that needs no rules of its own. */
function fromFact(fact: ResourceFact): ResourceDefinition {
  return defineResource({
    ...generationOf(fact),
    group: fact.group,
    version: fact.version,
    kind: fact.kind,
    plural: fact.plural,
    storedAs: sameUnderAnotherVersion(fact),
  });
}

/** Every resource of Kubernetes 1.36, in the order of its API document. Not all are served: see `servedResources`. */
export const builtInResources: readonly ResourceDefinition[] = resourceFacts.map(
  (fact) => written.get(place(fact)) ?? fromFact(fact),
);

const builtInByPlace = new Map(builtInResources.map((resource) => [place(resource), resource]));

/** Versions that Kubernetes has removed and that are still accepted, as views of today's: see `removedVersion`. */
const removedResources: readonly ResourceDefinition[] = removedVersions.map(({ today, ...removed }) =>
  removedVersion(present(builtInByPlace.get(place(today)), today.plural), removed),
);

/**
 * Switches for versions and resources as `--runtime-config` has them: `api/all`, `api/ga`, `api/beta`, `api/alpha`,
 * `GROUP/VERSION` (`v1` for the core group) and `GROUP/VERSION/PLURAL`. The more special key wins.
 */
export type RuntimeConfig = Readonly<Record<string, boolean>>;

/** True when the switches have a resource served. Without any, what is generally available is served. */
export function isServed(resource: ResourceDefinition, runtimeConfig: RuntimeConfig): boolean {
  const stability = stabilityOf(resource.version);
  return (
    switchFor(resource, runtimeConfig) ??
    runtimeConfig[`api/${stability}`] ??
    runtimeConfig["api/all"] ??
    stability === "ga"
  );
}

/** What the switches say of just this resource or its version. */
const switchFor = (resource: ResourceDefinition, runtimeConfig: RuntimeConfig): boolean | undefined =>
  runtimeConfig[`${apiVersionOf(resource)}/${resource.plural}`] ?? runtimeConfig[apiVersionOf(resource)];

/**
 * The resources that are served under the given switches: the built-in ones, and removed versions of them unless these are
 * switched off by name.
 */
export const servedResources = (runtimeConfig: RuntimeConfig = {}): readonly ResourceDefinition[] => [
  ...builtInResources.filter((resource) => isServed(resource, runtimeConfig)),
  ...removedResources.filter((resource) => switchFor(resource, runtimeConfig) ?? runtimeConfig["api/all"] ?? true),
];
