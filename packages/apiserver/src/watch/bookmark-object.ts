import type { ResourceDefinition } from "@skiff/api";
import { apiVersionOf } from "@skiff/api";
import type { JsonObject } from "@skiff/base";

/** Marks the bookmark after which a watch has told all objects that were there when it began. */
export const initialEventsEnd = "k8s.io/initial-events-end";

/** An object that is nothing but its type and metadata. */
export type Bookmark = JsonObject & { readonly metadata: JsonObject };

/** The object of a BOOKMARK event: type, revision, and whether the initial events end here. */
export const bookmarkObject = (
  resource: Pick<ResourceDefinition, "group" | "version" | "kind">,
  revision: number,
  initial: boolean,
): Bookmark => ({
  kind: resource.kind,
  apiVersion: apiVersionOf(resource),
  metadata: {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(initial ? { annotations: { [initialEventsEnd]: "true" } } : {}),
  },
});
