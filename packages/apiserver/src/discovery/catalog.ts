import type { ResourceDefinition } from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";
import { compareGroups, compareVersions } from "./group-order.ts";

export interface CatalogVersion {
  readonly version: string;
  /** By plural. */
  readonly resources: readonly ResourceDefinition[];
}

export interface CatalogGroup {
  /** Empty for the core group. */
  readonly group: string;
  /** The preferred one first. */
  readonly versions: readonly CatalogVersion[];
}

/**
 * What is served, by group and version, in the order of discovery. Made anew only when the table's resources are others
 * than before.
 */
export class Catalog {
  readonly #table: ResourceTable;
  #version = -1;
  #groups: readonly CatalogGroup[] = [];

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  groups(): readonly CatalogGroup[] {
    const { version } = this.#table;
    if (version !== this.#version) {
      this.#version = version;
      this.#groups = keepingEqual(this.#groups, grouped(this.#table.all().map(({ resource }) => resource)));
    }
    return this.#groups;
  }

  find(group: string, version: string): CatalogVersion | undefined {
    return this.groups()
      .find((item) => item.group === group)
      ?.versions.find((item) => item.version === version);
  }

  /** True until the served resources change; ask anew then. */
  holds(groups: readonly CatalogGroup[]): boolean {
    return this.groups() === groups;
  }
}

/** Keeps documents by key as long as the same resources are served. */
export class CatalogCache<T> {
  readonly #catalog: Catalog;
  #groups: readonly CatalogGroup[] = [];
  #kept = new Map<string, T>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What is kept for `key`, or what `make` makes now. */
  get(key: string, make: () => T): T {
    if (!this.#catalog.holds(this.#groups)) {
      this.#groups = this.#catalog.groups();
      this.#kept = new Map();
    }
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#kept.set(key, made);
    return made;
  }
}

/** Versions that are as before stay the same values, so that what was made of them holds on. */
function keepingEqual(before: readonly CatalogGroup[], now: readonly CatalogGroup[]): readonly CatalogGroup[] {
  const known = new Map(
    before.flatMap(({ group, versions }) =>
      versions.map((version): [string, CatalogVersion] => [`${group}/${version.version}`, version]),
    ),
  );
  const kept = (group: string, version: CatalogVersion): CatalogVersion => {
    const old = known.get(`${group}/${version.version}`);
    const same =
      old?.resources.length === version.resources.length &&
      old.resources.every((resource, index) => resource === version.resources[index]);
    return same ? old : version;
  };
  return now.map(({ group, versions }) => ({ group, versions: versions.map((version) => kept(group, version)) }));
}

function grouped(resources: readonly ResourceDefinition[]): readonly CatalogGroup[] {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const resource of resources) {
    const versions = groups.get(resource.group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(resource.group, versions);
    const list = versions.get(resource.version) ?? [];
    versions.set(resource.version, list);
    list.push(resource);
  }
  return [...groups]
    .sort(([a], [b]) => compareGroups(a, b))
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({ version, resources: list.sort((a, b) => (a.plural < b.plural ? -1 : 1)) })),
    }));
}
