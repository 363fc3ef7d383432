import { fieldError } from "../field-error.ts";
import type { WebhookClientConfig } from "../generated/types/admissionregistration-v1.ts";
import type { Findings } from "./checks.ts";
import { dnsSubdomain, rangeMessage } from "./names.ts";

const form = "; desired format: https://host[/path]";

/** Where a webhook is: exactly one of a URL and a Service. The same for webhooks of admission and of conversion. */
export function* checkWebhookClient(field: string, config: WebhookClientConfig | undefined): Findings {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) {
    yield fieldError.required(field, "exactly one of url or service is required");
  } else if (url !== undefined) yield* checkUrl(`${field}.url`, url);
  else if (service !== undefined) yield* checkService(`${field}.service`, service);
}

interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** A URL in its parts as Go reads it: what is missing is empty. `undefined` for a text that is none. */
function partsOf(url: string): UrlParts | undefined {
  const found =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url);
  if (found === null || /\p{Cc}|%(?![0-9a-fA-F]{2})/u.test(url)) return undefined;
  const [, scheme = "", user, host = "", , query = "", fragment = ""] = found;
  return /\s/.test(host) ? undefined : { scheme: scheme.toLowerCase(), user, host, query, fragment };
}

function* checkUrl(field: string, url: string): Findings {
  const parts = partsOf(url);
  if (parts === undefined) {
    yield fieldError.required(field, `url must be a valid URL: parse ${JSON.stringify(url)}: invalid URL${form}`);
    return;
  }
  const { scheme, user, host, query, fragment } = parts;
  if (scheme !== "https") yield fieldError.invalid(field, scheme, `'https' is the only allowed URL scheme${form}`);
  if (host === "") yield fieldError.invalid(field, host, `host must be specified${form}`);
  if (user !== undefined) yield fieldError.invalid(field, user, "user information is not permitted in the URL");
  if (fragment !== "") yield fieldError.invalid(field, fragment, "fragments are not permitted in the URL");
  if (query !== "") yield fieldError.invalid(field, query, "query parameters are not permitted in the URL");
}

function* checkService(field: string, service: NonNullable<WebhookClientConfig["service"]>): Findings {
  const { name, namespace, path, port = 443 } = service;
  if (!name) yield fieldError.required(`${field}.name`, "service name is required");
  if (!namespace) yield fieldError.required(`${field}.namespace`, "service namespace is required");
  if (port < 1 || port > 65535) {
    yield fieldError.invalid(`${field}.port`, port, `port is not valid: ${rangeMessage(1, 65535)}`);
  }
  if (path !== undefined) yield* checkPath(`${field}.path`, path);
}

function* checkPath(field: string, path: string): Findings {
  if (path === "" || path === "/") return;
  if (path === "//") {
    yield fieldError.invalid(field, path, "segment[0] may not be empty");
    return;
  }
  if (!path.startsWith("/")) yield fieldError.invalid(field, path, "must start with a '/'");
  const segments = path.slice(1).replace(/\/$/, "").split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "") yield fieldError.invalid(field, path, `segment[${index}] may not be empty`);
    else for (const why of dnsSubdomain(segment)) yield fieldError.invalid(field, path, `segment[${index}]: ${why}`);
  }
}
