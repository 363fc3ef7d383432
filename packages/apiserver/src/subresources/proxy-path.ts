/** `NAME`, `NAME:PORT`, `SCHEME:NAME:PORT`: what stands in the path of a proxy. `undefined` for what is none of them. */
export interface ProxyName {
  readonly scheme: "http" | "https";
  readonly name: string;
  /** A number or a name; empty where it is not said. */
  readonly port: string;
}

/** Reads the name in a proxy's path. */
export function parseProxyName(text: string): ProxyName | undefined {
  const parts = text.split(":");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length === 1) return first === "" ? undefined : { scheme: "http", name: first, port: "" };
  if (parts.length === 2) return { scheme: "http", name: first, port: second };
  if (parts.length !== 3 || (first !== "http" && first !== "https" && first !== "")) return undefined;
  return { scheme: first === "https" ? "https" : "http", name: second, port: third };
}

/** What follows `/proxy` in a request's own, undecoded path: empty, or it starts with a slash. */
export function proxiedPath(url: string, namespaced: boolean): string {
  const [path = ""] = url.split("?", 1);
  // ["", "api", "v1", ("namespaces", NS,) PLURAL, NAME, "proxy", …]
  const rest = path.split("/").slice(namespaced ? 8 : 6);
  return rest.length === 0 ? "" : `/${rest.join("/")}`;
}

/** The query as the client sent it, with its question mark. */
export function rawQuery(url: string): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at);
}
