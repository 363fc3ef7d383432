import { isAlreadyExists, type KubeObject, type New, type ResourceDefinition } from "@skiff/api";
import type { Client } from "@skiff/client";
import { lookUp } from "./look-up.ts";

/** Creates an object that is not there. One that is stays as it is: an administrator may have changed it. */
export async function createIfMissing<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  object: New<T>,
  signal: AbortSignal,
): Promise<void> {
  if ((await lookUp(client, resource, object.metadata, signal)) !== undefined) return;
  try {
    await client.create(resource, object, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
