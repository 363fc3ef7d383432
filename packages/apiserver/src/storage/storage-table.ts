import type { KubeObject, ResourceDefinition } from "@skiff/api";
import { assert } from "@skiff/base";
import type { ResourceStorage, ResourceTable } from "../contracts.ts";
import { ObjectStorage } from "./object-storage.ts";
import type { StorageEnvironment } from "./storage-environment.ts";
import type { StorageHooks, WritePermits } from "./storage-hooks.ts";

type Place = Pick<ResourceDefinition, "group" | "version" | "plural">;

/** Every resource that is served. Custom ones come, change and go at run time. */
export class StorageTable implements ResourceTable {
  readonly environment: StorageEnvironment;
  #all: readonly ObjectStorage[] | undefined;
  readonly #byVersion = new Map<string, Map<string, ObjectStorage>>();
  #version = 0;

  constructor(resources: readonly ResourceDefinition[], environment: StorageEnvironment) {
    this.environment = environment;
    for (const resource of resources) this.add(resource);
  }

  get version(): number {
    return this.#version;
  }

  /** Serves one more resource, or a resource anew: then watches of it end, and their clients begin others. */
  add(resource: ResourceDefinition): ObjectStorage {
    const storage = new ObjectStorage(resource, this.environment);
    const version = versionKey(resource);
    const plurals = this.#byVersion.get(version) ?? new Map<string, ObjectStorage>();
    const before = plurals.get(resource.plural);
    plurals.set(resource.plural, storage);
    this.#byVersion.set(version, plurals);
    this.#changed();
    before?.end();
    return storage;
  }

  /** Serves a resource no longer. Its watches end. */
  remove(place: Place): void {
    const version = versionKey(place);
    const plurals = this.#byVersion.get(version);
    const before = plurals?.get(place.plural);
    if (plurals === undefined || before === undefined) return;
    plurals.delete(place.plural);
    if (plurals.size === 0) this.#byVersion.delete(version);
    this.#changed();
    before.end();
  }

  #changed(): void {
    this.#version++;
    this.#all = undefined;
  }

  /** Gives a resource, in all its versions, its hooks. */
  hook<T extends KubeObject>(resource: ResourceDefinition<T>, hooks: StorageHooks<T>): void {
    const { prefix } = this.#storageOf(resource);
    for (const storage of this.all()) if (storage.prefix === prefix) storage.hooks = hooks;
  }

  /** Has writes of a resource, in all its versions, judged by what its writers are granted. */
  judge<T extends KubeObject>(resource: ResourceDefinition<T>, permits: WritePermits<T>): void {
    const { prefix } = this.#storageOf(resource);
    for (const storage of this.all()) if (storage.prefix === prefix) storage.permits = permits;
  }

  find({ group, version, plural }: Place): ObjectStorage | undefined {
    return this.#byVersion.get(group === "" ? version : `${group}/${version}`)?.get(plural);
  }

  byKind({
    group,
    version,
    kind,
  }: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }): ObjectStorage | undefined {
    const plurals = this.#byVersion.get(versionKey({ group, version })) ?? new Map<string, ObjectStorage>();
    for (const storage of plurals.values()) if (storage.resource.kind === kind) return storage;
    return undefined;
  }

  all(): readonly ObjectStorage[] {
    this.#all ??= [...this.#byVersion.values()].flatMap((plurals) => [...plurals.values()]);
    return this.#all;
  }

  of<T extends KubeObject>(resource: ResourceDefinition<T>): ResourceStorage<T> {
    const found: unknown = this.#storageOf(resource);
    assert(isStorageOf(found, resource), `${resource.plural} are objects of kind ${resource.kind}`);
    return found;
  }

  #storageOf(resource: Place): ObjectStorage {
    const found = this.find(resource);
    assert(found !== undefined, `${resource.plural} of ${versionKey(resource)} are served`);
    return found;
  }
}

/** The table holds kinds of all types; a storage made from a definition of T holds objects of T. */
const isStorageOf = <T extends KubeObject>(
  storage: unknown,
  { kind }: ResourceDefinition<T>,
): storage is ResourceStorage<T> => storage instanceof ObjectStorage && storage.resource.kind === kind;

const versionKey = ({ group, version }: Pick<Place, "group" | "version">): string =>
  group === "" ? version : `${group}/${version}`;
