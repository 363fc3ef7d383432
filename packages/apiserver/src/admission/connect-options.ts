import type { JsonObject } from "@skiff/base";

type Read = (query: URLSearchParams) => JsonObject;

const isTrue = (value: string | null): boolean => value === "true" || value === "1" || value === "";

const streams: Read = (query) => {
  const given = ["stdin", "stdout", "stderr", "tty"].filter((name) => isTrue(query.get(name)));
  const container = query.get("container");
  return { ...Object.fromEntries(given.map((name) => [name, true])), ...(container ? { container } : {}) };
};

const readers: Readonly<Record<string, Read>> = {
  PodExecOptions: (query) => ({ ...streams(query), command: query.getAll("command") }),
  PodAttachOptions: streams,
  PodPortForwardOptions(query) {
    const ports = query.getAll("ports").flatMap((text) => text.split(",").map(Number));
    return ports.length === 0 ? {} : { ports };
  },
};

/** The options of a connection as admission sees them: what a client asked for in its query, or the path of a proxy. */
export function connectOptions(
  kind: { readonly group: string; readonly version: string; readonly kind: string },
  asked: { readonly query: URLSearchParams; readonly path: string },
): JsonObject {
  const read = readers[kind.kind] ?? (() => (asked.path === "" ? {} : { path: asked.path }));
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  return { kind: kind.kind, apiVersion, ...read(asked.query) };
}
