import { type PatchType, patchTypes, type ResourceDefinition, refusals } from "@skiff/api";

/** The format of a body by its `Content-Type`. JSON where there is none. Throws 415 for what cannot be read. */
export function bodyFormat(contentType: string | undefined): "json" | "yaml" {
  const type = mediaType(contentType);
  if (!contentType || type === "application/json") return "json";
  if (type === "application/yaml") return "yaml";
  throw unsupported(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
}

/** The kind of patch by `Content-Type`. Throws 415, also for patches that the resource does not take. */
export function patchTypeOf(
  contentType: string | undefined,
  { custom }: Pick<ResourceDefinition, "custom"> = {},
): PatchType {
  const type = mediaType(contentType);
  const taken = Object.entries(patchTypes).filter(([name]) => custom === undefined || name !== "strategic");
  for (const [name, media] of taken) if (media === type && isPatchType(name)) return name;
  throw unsupported(taken.map(([, media]) => media));
}

const isPatchType = (name: string): name is PatchType => Object.hasOwn(patchTypes, name);

const mediaType = (contentType: string | undefined): string =>
  (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

const unsupported = (accepted: readonly string[]) =>
  refusals.unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
