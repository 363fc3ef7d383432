/**
 * The full form of an image's name, as registries and containerd know it: `nginx` is `docker.io/library/nginx:latest`,
 * `skiff/hello:1` is `docker.io/skiff/hello:1`. A first part is a host only when it has a dot or a port or is
 * `localhost`. Names with a digest keep it and get no tag. Ids (`sha256:…`) stay as they are.
 */
export function normalizeImageName(reference: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(reference)) return reference;
  const slash = reference.indexOf("/");
  const first = slash < 0 ? "" : reference.slice(0, slash);
  const isHost = first.includes(".") || first.includes(":") || first === "localhost";
  const host = isHost ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
  const path = isHost ? reference.slice(slash + 1) : reference;
  const full = host === "docker.io" && !path.includes("/") ? `${host}/library/${path}` : `${host}/${path}`;
  if (full.includes("@")) return full;
  return full.lastIndexOf(":") > full.lastIndexOf("/") ? full : `${full}:latest`;
}
