import { type KubeObject, labelSelectorOf, type ParamKind, type ParamRef } from "@skiff/api";
import type { ResourceStorage, ResourceTable } from "../../contracts.ts";

/** A binding that cannot be put to use. The message is Kubernetes'. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/**
 * The objects that a binding's policy is to be evaluated with, one after the other: `[undefined]` for policies without
 * parameters, none where there are none and that is allowed. Throws `ConfigurationError`.
 */
export async function collectParams(
  table: ResourceTable,
  {
    kind,
    ref,
    namespace,
  }: {
    readonly kind: ParamKind | undefined;
    readonly ref: ParamRef | undefined;
    readonly namespace: string | undefined;
  },
): Promise<readonly (KubeObject | undefined)[]> {
  if (kind === undefined || ref === undefined) return [undefined];
  const storage = storageOf(table, kind);
  const found = await find(storage, ref, placeOf(storage, ref, namespace));
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

function storageOf(table: ResourceTable, { apiVersion = "", kind = "" }: ParamKind): ResourceStorage {
  const slash = apiVersion.indexOf("/");
  const [group, version] = slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const storage = table.byKind({ group, version, kind });
  if (storage === undefined) {
    throw new ConfigurationError(`paramKind kind \`&ParamKind{APIVersion:${apiVersion},Kind:${kind},}\` not known`);
  }
  return storage;
}

/** The namespace to look in: the binding's own, else the request's. */
function placeOf({ resource }: ResourceStorage, ref: ParamRef, namespace: string | undefined): string | undefined {
  if (resource.scope === "cluster") {
    if (ref.namespace) {
      throw new ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    }
    return undefined;
  }
  if (ref.namespace) return ref.namespace;
  if (!namespace) {
    throw new ConfigurationError(
      "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    );
  }
  return namespace;
}

async function find(
  storage: ResourceStorage,
  ref: ParamRef,
  namespace: string | undefined,
): Promise<readonly KubeObject[]> {
  if (ref.name) {
    const one = storage.peek(namespace === undefined ? { name: ref.name } : { namespace, name: ref.name });
    return one === undefined ? [] : [one];
  }
  const selector = labelSelectorOf(ref.selector ?? {});
  return storage.peekAll(namespace).filter(({ metadata }) => selector.matches(metadata.labels));
}
