import {
  apiVersionOf,
  type DynamicObject,
  type KubeObject,
  type ObjectRef,
  type ResourceDefinition,
  refusals,
  type StatusSubject,
  type StructSchema,
} from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { Operation } from "@skiff/store";
import { writeOptions } from "../admission/request-options.ts";
import { type Claims, ClaimTaken } from "../allocation/service-claims.ts";
import { namespacePrefix, objectKey, resourcePrefix } from "../cache/keys.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import { ServedObject } from "../cache/served-object.ts";
import type { AdmissionAction, DeleteRequest, ResourceStorage, WriteContext } from "../contracts.ts";
import { storedText } from "../encoding/object-json.ts";
import { applyObject } from "./apply-object.ts";
import { createObject } from "./create-object.ts";
import { type Change, modifyObject } from "./modify-object.ts";
import { removeObject } from "./remove-object.ts";
import { resourceSchema } from "./resource-schema.ts";
import type { StorageEnvironment } from "./storage-environment.ts";
import type { StorageHooks, WritePermits } from "./storage-hooks.ts";

const isDynamic = (_object: KubeObject): _object is DynamicObject => true;

/** A write's outcome: the new state, and whether the object was there before. */
export interface Written {
  readonly served: ServedObject;
  readonly created: boolean;
}

/** All that is stored of one resource, as one of its versions shows it. */
export class ObjectStorage implements ResourceStorage {
  readonly resource: ResourceDefinition;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  /** What all keys of the resource begin with. */
  readonly prefix: string;
  readonly cache: ResourceCache;
  readonly environment: StorageEnvironment;
  hooks: StorageHooks = {};
  permits: WritePermits | undefined;
  /** What watches over HTTP were told so far. */
  readonly told = { events: 0 };
  readonly #ending = new Set<() => void>();
  /** States of the stored version as this version shows them. */
  readonly #shown = new WeakMap<ServedObject, ServedObject>();

  constructor(resource: ResourceDefinition, environment: StorageEnvironment) {
    this.resource = resource;
    this.apiVersion = apiVersionOf(resource);
    this.prefix = resourcePrefix(resource);
    this.cache = environment.cache.of(this.prefix);
    this.environment = environment;
  }

  get schema(): StructSchema {
    return resourceSchema(this.resource);
  }

  /** Ends all watches: the resource is no longer served, or served in another form. */
  end(): void {
    for (const end of [...this.#ending]) end();
  }

  /** Calls `end` when the resource is no longer served from here, until disposed of. */
  onEnd(end: () => void): Disposable {
    this.#ending.add(end);
    return { [Symbol.dispose]: () => void this.#ending.delete(end) };
  }

  /** What refusals are about. */
  subject(name: string): StatusSubject {
    return { group: this.resource.group, kind: this.resource.plural, name };
  }

  key(ref: ObjectRef): string {
    return objectKey(this.prefix, ref);
  }

  /** The newest state in this version's form. Throws 404. */
  served(ref: ObjectRef): ServedObject {
    const found = this.cache.get(this.key(ref));
    if (found === undefined) throw refusals.notFound(this.subject(ref.name));
    return this.show(found);
  }

  find(ref: ObjectRef): ServedObject | undefined {
    const found = this.cache.get(this.key(ref));
    return found === undefined ? undefined : this.show(found);
  }

  /** A stored state in this version's form. */
  show(stored: ServedObject): ServedObject {
    const { storedAs } = this.resource;
    if (storedAs === undefined) return stored;
    const known = this.#shown.get(stored);
    if (known !== undefined) return known;
    const { object } = stored;
    if (!isDynamic(object)) return stored;
    // Nobody prepared for it: who only looks gets it as it is stored.
    if (storedAs.remote?.isForeign(object) === true) return stored;
    const shown = storedAs.fromStored(object);
    const made = shown === object ? stored : ServedObject.fromObject(shown, stored.revision);
    this.#shown.set(stored, made);
    return made;
  }

  /** True for a state that would be stored otherwise today: written in another version, or under an older schema. */
  isOutdated(stored: ServedObject): boolean {
    const { custom, storedAs } = this.resource;
    if (custom === undefined || storedAs === undefined) return false;
    const { object } = stored;
    if (object.apiVersion !== apiVersionOf(storedAs)) return true;
    return object.apiVersion === this.apiVersion && this.show(stored) !== stored;
  }

  /**
   * Has states converted that only a webhook can show, so that `show` can show them; `undefined` where there is nothing to
   * wait for. Rejects with `StatusError`.
   */
  prepare(states: Iterable<ServedObject | undefined>): Promise<void> | undefined {
    const remote = this.resource.storedAs?.remote;
    if (remote === undefined) return undefined;
    const foreign: { readonly stored: ServedObject; readonly object: DynamicObject }[] = [];
    for (const stored of states) {
      if (stored === undefined || this.#shown.has(stored)) continue;
      const { object } = stored;
      if (isDynamic(object) && remote.isForeign(object)) foreign.push({ stored, object });
    }
    if (foreign.length === 0) return undefined;
    return remote.fromStored(foreign.map(({ object }) => object)).then((shown) => {
      for (const [index, { stored }] of foreign.entries()) {
        const object = shown[index];
        if (object !== undefined) this.#shown.set(stored, ServedObject.fromObject(object, stored.revision));
      }
    });
  }

  /** As `served`, after whatever must be waited for. */
  load(ref: ObjectRef): ServedObject | Promise<ServedObject> {
    const preparing = this.prepare([this.cache.get(this.key(ref))]);
    return preparing === undefined ? this.served(ref) : preparing.then(() => this.served(ref));
  }

  async get(ref: ObjectRef): Promise<KubeObject> {
    await this.prepare([this.cache.get(this.key(ref))]);
    return this.served(ref).object;
  }

  peek(ref: ObjectRef): KubeObject | undefined {
    return this.find(ref)?.object;
  }

  peekAll(namespace?: string): readonly KubeObject[] {
    const prefix = namespacePrefix(this.prefix, namespace);
    const objects: KubeObject[] = [];
    for (const { served } of this.cache.from(prefix, prefix)) objects.push(this.show(served).object);
    return objects;
  }

  count(namespace?: string): number {
    const prefix = namespacePrefix(this.prefix, namespace);
    return this.cache.countFrom(prefix, prefix);
  }

  async admit(action: AdmissionAction, context: WriteContext): Promise<void> {
    const { user, dryRun, warn, annotate } = context;
    const options = () =>
      action.operation === "CREATE" || action.operation === "UPDATE"
        ? writeOptions(action.operation === "CREATE" ? "CreateOptions" : "UpdateOptions", context)
        : undefined;
    const request = { ...action, resource: this.resource, user, dryRun, options, warn, annotate };
    await this.environment.admission.admit(request);
    await this.environment.admission.validate(request);
  }

  get lastRevision(): number {
    return this.cache.lastRevision;
  }

  async create(object: KubeObject, context: WriteContext): Promise<KubeObject> {
    return (await createObject(this, object, context)).object;
  }

  async modify(
    ref: ObjectRef,
    change: Change,
    context: WriteContext & { readonly subresource?: string; readonly admitted?: boolean; readonly asIs?: boolean },
  ): Promise<KubeObject> {
    const { subresource, admitted, asIs } = context;
    return (await modifyObject(this, ref, { change, context, subresource, admitted, asIs, ownObject: asIs === true }))
      .object;
  }

  async apply(
    ref: ObjectRef,
    { config, force }: { readonly config: JsonObject; readonly force: boolean },
    context: WriteContext & { readonly subresource: string },
  ): Promise<KubeObject> {
    const { subresource } = context;
    const application = { config, force, strictErrors: [], context, subresource, admitted: true };
    return (await applyObject(this, ref, application)).served.object;
  }

  async delete(
    ref: ObjectRef,
    request: DeleteRequest,
    context: WriteContext & { readonly admitted?: boolean },
  ): Promise<{ readonly object: KubeObject; readonly gone: boolean }> {
    const { served, gone } = await removeObject(this, ref, { request, context, admitted: context.admitted });
    return { object: served.object, gone };
  }

  /**
   * Writes an object if the key is still at `expectedRevision` (0: absent); gives `undefined` when it is not. The object
   * belongs to the cache afterwards. `claims` go with it; throws `ClaimTaken` where these cannot be had.
   */
  async put(
    key: string,
    object: KubeObject,
    expectedRevision: number,
    claims?: Claims,
  ): Promise<ServedObject | undefined> {
    const { store, cache } = this.environment;
    const { storedAs } = this.resource;
    const stored = storedAs !== undefined && isDynamic(object) ? await storedAs.toStored(object) : object;
    const value = Buffer.from(storedText(stored));
    const { ttlMs } = this.hooks;
    const lease = ttlMs === undefined ? undefined : await this.environment.leases.lease(ttlMs);
    const operation: Operation = { kind: "put", key, value, ...(lease === undefined ? {} : { lease }) };
    cache.expect(value, stored);
    try {
      const own = { key, modRevision: expectedRevision };
      const result = await store.commit(
        claims === undefined
          ? { compare: [own], operations: [operation] }
          : { compare: [own, ...claims.compare], operations: [operation, ...claims.operations] },
      );
      if (result.kind === "conflict") {
        if (result.current.some((entry) => entry.key !== key)) throw new ClaimTaken("taken by somebody else");
        return undefined;
      }
      const newest = this.cache.get(key);
      // Somebody may have written again already: the answer is still what this write made.
      const made = newest?.revision === result.revision ? newest : ServedObject.fromStored(value, result.revision);
      // What was stored as it is needs no look at how it is to be shown, unless reading fills in what writing left out.
      const asIs = storedAs !== undefined && stored === object && this.resource.custom?.structural.hasDefaults !== true;
      if (asIs) this.#shown.set(made, made);
      await this.prepare([made]);
      return this.show(made);
    } finally {
      cache.forget(value);
    }
  }

  /** Deletes a key if it is still at `expectedRevision`; gives the revision, or `undefined` when it is not. */
  async drop(key: string, expectedRevision: number, object: KubeObject): Promise<number | undefined> {
    const result = await this.environment.store.commit({
      compare: [{ key, modRevision: expectedRevision }],
      operations: [{ kind: "delete", key }, ...(this.hooks.unclaim?.(object) ?? [])],
    });
    return result.kind === "conflict" ? undefined : result.revision;
  }
}
