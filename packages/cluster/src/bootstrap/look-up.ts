import { isNotFound, type KubeObject, type ResourceDefinition } from "@skiff/api";
import type { Client } from "@skiff/client";

/** An object that may be there: when a cluster starts again nearly all are, and looking costs less than a refused creation. */
export async function lookUp<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  { name = "", namespace }: { readonly name?: string | undefined; readonly namespace?: string | undefined },
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get(resource, namespace === undefined ? { name } : { name, namespace }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
