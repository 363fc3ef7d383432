/** The parts of an image reference, with Docker's defaults filled in. */
export interface ImageName {
  /** As in `docker.io` or `localhost:5000`. */
  readonly registry: string;
  /** As in `library/busybox`. */
  readonly repository: string;
  /** Reference with tag or digest always there: `busybox:latest`. */
  readonly withTag: string;
}

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::\d+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** The host of a reference, where its first part is one, and the rest. */
function splitHost(reference: string): { readonly host: string | undefined; readonly rest: string } {
  const slash = reference.indexOf("/");
  const first = slash === -1 ? "" : reference.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  return isHost ? { host: first, rest: reference.slice(slash + 1) } : { host: undefined, rest: reference };
}

/** Why something is no reference, in the words of those who defined it. */
export function referenceFault(reference: string): string {
  if (/^[0-9a-f]{64}$/.test(reference))
    return `invalid repository name (${reference}), cannot specify 64-byte hexadecimal strings`;
  const { host, rest } = splitHost(reference);
  const name = rest.split(":")[0] ?? "";
  const full = host === undefined && !name.includes("/") ? `library/${name}` : name;
  return full === full.toLowerCase()
    ? "invalid reference format"
    : `invalid reference format: repository name (${full}) must be lowercase`;
}

/** Reads a reference; `undefined` when it is not one. */
export function parseImageName(reference: string): ImageName | undefined {
  if (/^[0-9a-f]{64}$/.test(reference)) return undefined;
  const at = reference.indexOf("@");
  const digest = at === -1 ? undefined : reference.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const { host, rest } = splitHost(at === -1 ? reference : reference.slice(0, at));
  const colon = rest.indexOf(":");
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (!repositoryPattern.test(path)) return undefined;
  if (host !== undefined && !hostPattern.test(host)) return undefined;
  const isHub = host === undefined || host === "docker.io" || host === "index.docker.io";
  return {
    registry: isHub ? "docker.io" : host,
    repository: isHub && !path.includes("/") ? `library/${path}` : path,
    withTag: tag === undefined && digest === undefined ? `${reference}:latest` : reference,
  };
}
