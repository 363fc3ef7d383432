import { isJsonObject, type JsonObject, parseDuration } from "@skiff/base";

/** A program that gives logins for images. */
export interface CredentialProvider {
  /** Of the program, in the folder of such programs. */
  readonly name: string;
  readonly apiVersion: string;
  /** Which images it is asked about, as in `*.dkr.ecr.*.amazonaws.com`. */
  readonly matchImages: readonly string[];
  /** How long an answer holds that does not say so itself. */
  readonly defaultCacheMs: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** It wants a token of the pod's service account. */
  readonly token?: TokenAttributes;
}

export interface TokenAttributes {
  readonly audience: string;
  /** What an answer holds for: the account, or this very token. */
  readonly cacheType: "ServiceAccount" | "Token";
  /** Pods without an account are none of its business. */
  readonly requireServiceAccount: boolean;
  readonly requiredAnnotations: readonly string[];
  readonly optionalAnnotations: readonly string[];
}

/** The programs and the folder they lie in. */
export interface CredentialProviders {
  readonly folder: string;
  readonly providers: readonly CredentialProvider[];
}

/** A CredentialProviderConfig cannot be used; the message names the field. */
export class CredentialProviderConfigError extends Error {
  override name = "CredentialProviderConfigError";
  readonly code = "CONFIGURATION_INVALID";
}

const configVersions = ["v1", "v1beta1", "v1alpha1"].map((version) => `kubelet.config.k8s.io/${version}`);
const newestVersion = "credentialprovider.kubelet.k8s.io/v1";
const pluginVersions = [
  newestVersion,
  "credentialprovider.kubelet.k8s.io/v1alpha1",
  "credentialprovider.kubelet.k8s.io/v1beta1",
];

const fail = (field: string, what: string): never => {
  throw new CredentialProviderConfigError(`failed to validate credential provider config: ${field}: ${what}`);
};

const texts = (value: unknown, field: string): readonly string[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return fail(field, "must be a list");
  return value.map((one) => (typeof one === "string" ? one : fail(field, "must be a list of texts")));
};

function nameOf(value: unknown): string {
  const field = "providers.name";
  if (typeof value !== "string" || value === "") return fail(field, "Required value");
  const invalid = (why: string): never => fail(field, `Invalid value: ${JSON.stringify(value)}: provider name ${why}`);
  if (value.includes("/")) return invalid("cannot contain '/'");
  if (value.includes(" ")) return invalid("cannot contain spaces");
  return value === "." || value === ".." ? invalid(`cannot be '${value}'`) : value;
}

function environment(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!Array.isArray(value)) return fail("providers.env", "must be a list");
  const entries = value.map((one: unknown): [string, string] =>
    isJsonObject(one) && typeof one.name === "string" && typeof one.value === "string"
      ? [one.name, one.value]
      : fail("providers.env", "each needs a name and a value"),
  );
  return Object.fromEntries(entries);
}

function cacheMs(value: unknown): number {
  const field = "providers.defaultCacheDuration";
  if (value === undefined || value === null) return fail(field, "Required value");
  const ms = typeof value === "string" ? parseDuration(value) : value === 0 ? 0 : undefined;
  return ms ?? fail(field, `Invalid value: ${JSON.stringify(value)}: must be greater than or equal to 0`);
}

function tokenAttributes(value: unknown, apiVersion: string): TokenAttributes | undefined {
  if (value === undefined || value === null) return undefined;
  const field = "providers.tokenAttributes";
  if (!isJsonObject(value)) return fail(field, "must be an object");
  const audience = value.serviceAccountTokenAudience;
  if (typeof audience !== "string" || audience === "")
    return fail(`${field}.serviceAccountTokenAudience`, "Required value");
  const { requireServiceAccount, cacheType } = value;
  if (typeof requireServiceAccount !== "boolean") return fail(`${field}.requireServiceAccount`, "Required value");
  if (apiVersion !== newestVersion)
    return fail(field, `Forbidden: tokenAttributes is only supported for ${newestVersion} API version`);
  const requiredAnnotations = texts(value.requiredServiceAccountAnnotationKeys, `${field}.required…`);
  const optionalAnnotations = texts(value.optionalServiceAccountAnnotationKeys, `${field}.optional…`);
  if (!requireServiceAccount && requiredAnnotations.length > 0)
    return fail(
      `${field}.requiredServiceAccountAnnotationKeys`,
      "Forbidden: requireServiceAccount cannot be false when requiredServiceAccountAnnotationKeys is set",
    );
  if (requiredAnnotations.some((one) => optionalAnnotations.includes(one)))
    return fail(field, "annotation keys cannot be both required and optional");
  if (cacheType !== "ServiceAccount" && cacheType !== "Token")
    return fail(`${field}.cacheType`, 'supported values: "ServiceAccount", "Token"');
  return { audience, cacheType, requireServiceAccount, requiredAnnotations, optionalAnnotations };
}

function provider(value: JsonObject): CredentialProvider {
  const name = nameOf(value.name);
  const { apiVersion } = value;
  if (typeof apiVersion !== "string" || apiVersion === "") return fail("providers.apiVersion", "Required value");
  if (!pluginVersions.includes(apiVersion))
    fail("providers.apiVersion", `Unsupported value: ${JSON.stringify(apiVersion)}`);
  const matchImages = texts(value.matchImages, "providers.matchImages");
  if (matchImages.length === 0)
    fail("providers.matchImages", "Required value: at least 1 item in matchImages is required");
  const token = tokenAttributes(value.tokenAttributes, apiVersion);
  return {
    name,
    apiVersion,
    matchImages,
    defaultCacheMs: cacheMs(value.defaultCacheDuration),
    args: texts(value.args, "providers.args"),
    env: environment(value.env),
    ...(token === undefined ? {} : { token }),
  };
}

/**
 * Reads CredentialProviderConfigs (parsed YAML or JSON), several of which count as one. Throws
 * `CredentialProviderConfigError`.
 * https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
 */
export function parseCredentialProviders(configs: readonly unknown[]): readonly CredentialProvider[] {
  const found = configs.flatMap((config) => {
    if (!isJsonObject(config) || config.kind !== "CredentialProviderConfig")
      throw new CredentialProviderConfigError("error decoding config: it is no CredentialProviderConfig");
    if (!configVersions.some((one) => one === config.apiVersion))
      throw new CredentialProviderConfigError(`error decoding config: no such version ${String(config.apiVersion)}`);
    return Array.isArray(config.providers) ? config.providers.filter(isJsonObject).map(provider) : [];
  });
  if (found.length === 0) fail("providers", "Required value: at least 1 item in plugins is required");
  const names = found.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) fail("providers.name", `Duplicate value: ${JSON.stringify(twice)}`);
  return found;
}
