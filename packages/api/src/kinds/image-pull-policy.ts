/**
 * The pull policy of an image for which none was given: images that are or imply `:latest` are pulled always, others only
 * when absent. An image named by digest implies no tag.
 * https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
 */
export function defaultImagePullPolicy(image: string | undefined): "Always" | "IfNotPresent" {
  return imageTag(image ?? "") === "latest" ? "Always" : "IfNotPresent";
}

/** `host:5000/web:1` → `1`, `web` → `latest`, `web@sha256:…` → nothing. A colon before the last slash is a port. */
function imageTag(image: string): string {
  const at = image.indexOf("@");
  const named = at === -1 ? image : image.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  if (colon !== -1) return named.slice(colon + 1);
  return at === -1 ? "latest" : "";
}
