import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { listOf, mapOf } from "../../values/collections.ts";
import { text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";

/** A URL in its parts, as Go's parser leaves them: nothing is normalized. */
class UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly escapedPath: string;
  readonly query: string;

  constructor(parts: { scheme: string; host: string; path: string; escapedPath: string; query: string }) {
    this.scheme = parts.scheme;
    this.host = parts.host;
    this.path = parts.path;
    this.escapedPath = parts.escapedPath;
    this.query = parts.query;
  }
}

const urlType: OpaqueType<UrlParts> = {
  name: "kubernetes.URL",
  same: (a, b) => a.scheme === b.scheme && a.host === b.host && a.escapedPath === b.escapedPath && a.query === b.query,
  holds: (content): content is UrlParts => content instanceof UrlParts,
};

/** Splits a URL or an absolute path. `undefined` for what is neither. */
function parseUrl(value: string): UrlParts | undefined {
  // Control characters, blanks in hosts and broken escapes make no URL.
  if (/\p{Cc}/u.test(value) || /%(?![0-9a-fA-F]{2})/.test(value.split("?")[0] ?? "")) return undefined;
  const found = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/s.exec(value);
  if (found === null) return undefined;
  const [, scheme = "", authority = "", path = "", query = ""] = found;
  if (scheme === "" && !value.startsWith("/")) return undefined;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (!isHost(host)) return undefined;
  return new UrlParts({
    scheme: scheme.toLowerCase(),
    host,
    path: decodeSafely(path),
    escapedPath: encodeURI(decodeSafely(path)) === path ? path : escaped(path),
    query,
  });
}

/** A name or an address in brackets; what follows its last colon is a port. */
function isHost(host: string): boolean {
  if (host.startsWith("[")) return /^\[[0-9a-fA-F:.%]*\](?::\d*)?$/.test(host);
  const colon = host.lastIndexOf(":");
  return !/[\s[\]<>"]/.test(host) && (colon < 0 || /^\d*$/.test(host.slice(colon + 1)));
}

const escaped = (path: string): string => path.replace(/[^\w\-.~!$&'()*+,;=:@/%]/gu, (one) => encodeURIComponent(one));

function decodeSafely(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** True for a URL or an absolute path. */
export const isUrl = (value: string): boolean => parseUrl(value) !== undefined;

function required(value: string): Opaque<UrlParts> {
  const parsed = parseUrl(value);
  if (parsed === undefined) {
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(value)}: invalid URI for request`,
    );
  }
  return new Opaque(urlType, parsed);
}

const hostname = (host: string): string => /^\[(.*)\]/.exec(host)?.[1] ?? host.replace(/:\d*$/, "");
const port = (host: string): string => /:(\d*)$/.exec(host.replace(/^\[.*\]/, ""))?.[1] ?? "";

/** `url(…)` and what it has. */
export const urlFunctions: readonly Overload[] = [
  overload("string_to_url", "url(string): kubernetes.URL", ([a]) => required(text(a))),
  overload("is_url_string", "isURL(string): bool", ([a]) => isUrl(text(a))),
  overload("url_get_scheme", "kubernetes.URL.getScheme(): string", ([a]) => contentOf(urlType, a).scheme),
  overload("url_get_host", "kubernetes.URL.getHost(): string", ([a]) => contentOf(urlType, a).host),
  overload("url_get_hostname", "kubernetes.URL.getHostname(): string", ([a]) => hostname(contentOf(urlType, a).host)),
  overload("url_get_port", "kubernetes.URL.getPort(): string", ([a]) => port(contentOf(urlType, a).host)),
  overload(
    "url_get_escaped_path",
    "kubernetes.URL.getEscapedPath(): string",
    ([a]) => contentOf(urlType, a).escapedPath,
  ),
  overload("url_get_query", "kubernetes.URL.getQuery(): map(string, list(string))", ([a]) => {
    const values = new Map<string, string[]>();
    for (const [key, value] of new URLSearchParams(contentOf(urlType, a).query)) {
      values.set(key, [...(values.get(key) ?? []), value]);
    }
    return mapOf(Object.fromEntries([...values].map(([key, all]) => [key, listOf(all)])));
  }),
];
