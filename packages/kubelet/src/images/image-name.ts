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
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Reads a reference; `undefined` when it is not one. */
export function parseImageName(reference: string): ImageName | undefined {
  const at = reference.indexOf("@");
  const digest = at === -1 ? undefined : reference.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const plain = at === -1 ? reference : reference.slice(0, at);
  const slash = plain.lastIndexOf("/");
  const colon = plain.indexOf(":", slash + 1);
  const tag = colon === -1 ? undefined : plain.slice(colon + 1);
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const name = colon === -1 ? plain : plain.slice(0, colon);
  const first = name.indexOf("/");
  const host = first === -1 ? "" : name.slice(0, first);
  const isHost = host.includes(".") || host.includes(":") || host === "localhost";
  const path = isHost ? name.slice(first + 1) : name;
  if (!repositoryPattern.test(path)) return undefined;
  return {
    registry: isHost ? host : "docker.io",
    repository: isHost || path.includes("/") ? path : `library/${path}`,
    withTag: tag === undefined && digest === undefined ? `${reference}:latest` : reference,
  };
}
