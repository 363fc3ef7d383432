/**
 * Which images a place in a list of logins (or a pattern of `matchImages`) stands for: hosts may have `*` in each of their
 * parts, ports have to be the same, and what follows the host is the beginning of the image's path.
 *
 *     *.example.com         a.example.com/x       yes
 *     *.example.com         a.b.example.com/x     no: another number of parts
 *     example.com/team      example.com/team/app  yes
 *     example.com           example.com:5000/app  no: another port
 */
export function placeMatches(place: string, image: string): boolean {
  const [wanted, found] = [split(place), split(image)];
  if (wanted.port !== found.port || wanted.parts.length !== found.parts.length) return false;
  if (!found.path.startsWith(wanted.path)) return false;
  return wanted.parts.every((part, at) => globMatches(part, found.parts[at] ?? ""));
}

/** The form in which a login's place is compared: without scheme and API version, `https://index.docker.io/v1/` → `index.docker.io`. */
export function plainPlace(place: string): string {
  const bare = place.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  if (slash === -1) return bare;
  const path = bare.slice(slash).replace(/^\/v[12](?=\/)/, "");
  return path === "/" ? bare.slice(0, slash) : bare.slice(0, slash) + path;
}

function split(place: string) {
  const slash = place.indexOf("/");
  const host = slash === -1 ? place : place.slice(0, slash);
  const [, name = host, port = ""] = /^(.*):(\d+)$/.exec(host) ?? [];
  return { parts: name.split("."), port, path: slash === -1 ? "" : place.slice(slash) };
}

/** A shell's pattern: `*`, `?` and `[a-z]`. */
function globMatches(glob: string, text: string): boolean {
  const source = glob.replaceAll(/\[\^?[^\]]+\]|[*?]|[\\^$.|+(){}[\]]/g, (one) => {
    if (one === "*") return ".*";
    if (one === "?") return ".";
    return one.length > 1 ? one : `\\${one}`;
  });
  return new RegExp(`^${source}$`).test(text);
}
