import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { parse } from "yaml";

/** What a kubeconfig's context says, fit for `httpsTransport`. PEM texts. */
export interface ClusterAccess {
  readonly context: string;
  readonly endpoint: string;
  readonly namespace: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** Thrown for kubeconfigs that lead nowhere; the message says what is missing. */
export class KubeconfigError extends Error {
  override name = "KubeconfigError";
  readonly code = "KUBECONFIG";
}

/**
 * Reads a kubeconfig's text. `context` chooses another than the current one; `readFile` gives the content of files that it
 * names (certificates kept beside it); without it such entries are refused.
 */
export function loadKubeconfig(
  text: string,
  options: { readonly context?: string; readonly readFile?: (path: string) => string } = {},
): ClusterAccess {
  const config: unknown = parse(text);
  if (!isJsonObject(config)) throw new KubeconfigError("the kubeconfig is empty");
  const name = options.context ?? textOf(config["current-context"]);
  if (name === undefined || name === "") throw new KubeconfigError("the kubeconfig has no current context");
  const context = entry(config, "contexts", "context", name);
  const cluster = entry(config, "clusters", "cluster", textOf(context.cluster) ?? "");
  const user = entry(config, "users", "user", textOf(context.user) ?? "");
  const endpoint = textOf(cluster.server);
  if (endpoint === undefined) throw new KubeconfigError(`the cluster of context ${name} has no server`);
  const content = (object: JsonObject, field: string): string | undefined => {
    const data = textOf(object[`${field}-data`]);
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    const path = textOf(object[field]);
    if (path === undefined) return undefined;
    if (options.readFile === undefined) throw new KubeconfigError(`${field} is kept in the file ${path}`);
    return options.readFile(path);
  };
  const found = {
    ca: content(cluster, "certificate-authority"),
    cert: content(user, "client-certificate"),
    key: content(user, "client-key"),
    token: textOf(user.token),
  };
  return {
    context: name,
    endpoint,
    namespace: textOf(context.namespace) ?? "default",
    ...(found.ca === undefined ? {} : { ca: found.ca }),
    ...(found.cert === undefined ? {} : { cert: found.cert }),
    ...(found.key === undefined ? {} : { key: found.key }),
    ...(found.token === undefined ? {} : { token: found.token }),
  };
}

const textOf = (value: JsonValue | undefined): string | undefined => (typeof value === "string" ? value : undefined);

/** The member `field` of the entry called `name`. */
function entry(config: JsonObject, list: string, field: string, name: string): JsonObject {
  const entries = config[list];
  const found = Array.isArray(entries) ? entries.find((item) => isJsonObject(item) && item.name === name) : undefined;
  const value = isJsonObject(found) ? found[field] : undefined;
  if (!isJsonObject(value)) throw new KubeconfigError(`the kubeconfig has no ${field} called "${name}"`);
  return value;
}
