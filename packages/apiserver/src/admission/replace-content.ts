import type { KubeObject } from "@skiff/api";

/** Makes an object what another one is: plugins change the request's object in place. */
export function replaceContent(target: KubeObject, source: KubeObject): void {
  for (const field of Object.keys(target)) if (!(field in source)) Reflect.deleteProperty(target, field);
  const { kind, apiVersion, metadata, ...rest } = source;
  Object.assign(target, { kind, apiVersion }, rest);
  // Metadata stays the same object: the line of a write holds on to it.
  for (const field of Object.keys(target.metadata)) {
    if (!(field in metadata)) Reflect.deleteProperty(target.metadata, field);
  }
  Object.assign(target.metadata, metadata);
}
