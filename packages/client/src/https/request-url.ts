import { patchTypes, type TransportRequest } from "@skiff/api";

/** A request as HTTP says it: path with query, body, media type. */
export function requestUrl(
  request: TransportRequest,
  options: { readonly watch: boolean },
): { url: string; body: string | undefined; contentType: string | undefined } {
  const { group, version, namespace, plural, name, subresource, query, body, patchType } = request;
  const segments = group === "" ? ["api", version] : ["apis", group, version];
  if (namespace !== undefined) segments.push("namespaces", namespace);
  segments.push(plural);
  if (name !== undefined) segments.push(name);
  // Proxies and logs take paths below a subresource; those slashes are meant.
  if (subresource !== undefined) segments.push(...subresource.split("/"));
  const search = new URLSearchParams({ ...query, ...(options.watch ? { watch: "true" } : {}) }).toString();
  return {
    url: `/${segments.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`,
    body: body === undefined ? undefined : JSON.stringify(body),
    contentType: patchType === undefined ? undefined : patchTypes[patchType],
  };
}
