import type { PersistentVolumeClaim, SecretReference } from "@skiff/api";

/** What a driver gets a secret for, as the parameters of classes name it. */
export type SecretUse =
  | "provisioner"
  | "controller-publish"
  | "node-stage"
  | "node-publish"
  | "controller-expand"
  | "node-expand"
  | "controller-modify";

const prefix = "csi.storage.k8s.io/";
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const uses: readonly SecretUse[] = [
  "provisioner",
  "controller-publish",
  "node-stage",
  "node-publish",
  "controller-expand",
  "node-expand",
  "controller-modify",
];
const reserved = new Set([
  `${prefix}fstype`,
  ...["", ...uses.map((use) => `${use}-`)].flatMap((use) => [
    `${prefix}${use}secret-name`,
    `${prefix}${use}secret-namespace`,
  ]),
]);

type Parameters = Readonly<Record<string, string>>;

/** The parameters of a class that are the driver's own. Throws for those that look like the provisioner's but are not. */
export function driverParameters(parameters: Parameters): Parameters {
  const unknown = Object.keys(parameters).find((key) => key.startsWith(prefix) && !reserved.has(key));
  if (unknown !== undefined)
    throw new Error(`found unknown parameter key "${unknown}" with reserved namespace ${prefix}`);
  return Object.fromEntries(Object.entries(parameters).filter(([key]) => !key.startsWith(prefix)));
}

/**
 * The secret that a class names for a use, or for all uses; `undefined` where it names none. Names may contain the volume's
 * and the claim's: `${pv.name}`, `${pvc.namespace}`, `${pvc.name}`, `${pvc.annotations['KEY']}`; namespaces only what is not in
 * the hands of who writes claims.
 * https://kubernetes-csi.github.io/docs/secrets-and-credentials-storage-class.html
 */
export function secretRef(
  use: SecretUse,
  parameters: Parameters,
  { volume, claim }: { readonly volume: string; readonly claim: Pick<PersistentVolumeClaim, "metadata"> },
): SecretReference | undefined {
  const found = templatesOf(`${use}-`, use, parameters) ?? templatesOf("", "Default", parameters);
  if (found === undefined) return undefined;
  const { name, namespace, annotations = {} } = claim.metadata;
  const known = { "pv.name": volume, "pvc.namespace": namespace ?? "" };
  const noted = Object.entries(annotations).map(([key, value]) => [`pvc.annotations['${key}']`, value]);
  const more = { ...known, "pvc.name": name, ...Object.fromEntries(noted) };
  return {
    namespace: filled(found.namespace, known, { what: "namespace", pattern: label }),
    name: filled(found.name, more, { what: "secret", pattern: subdomain }),
  };
}

function templatesOf(use: string, called: string, parameters: Parameters) {
  const name = parameters[`${prefix}${use}secret-name`];
  const namespace = parameters[`${prefix}${use}secret-namespace`];
  if (name === undefined && namespace === undefined) return undefined;
  if (name === undefined || namespace === undefined)
    throw new Error(`either name and namespace for ${called} secrets specified, Both must be specified`);
  if (name === "" || namespace === "")
    throw new Error(`${called} secrets specified in parameters but value of either namespace or name is empty`);
  return { name, namespace };
}

function filled(
  template: string,
  values: Parameters,
  { what, pattern }: { readonly what: string; readonly pattern: RegExp },
): string {
  const missing: string[] = [];
  const text = template.replaceAll(/\$\{([^}]*)\}|\$(\w+)/g, (_, braced?: string, bare?: string) => {
    const key = braced ?? bare ?? "";
    if (values[key] === undefined) missing.push(key);
    return values[key] ?? "";
  });
  if (missing.length > 0) {
    const tokens = missing.sort().map((one) => JSON.stringify(one));
    throw new Error(`error resolving value "${template}": invalid tokens: [${tokens.join(" ")}]`);
  }
  if (pattern.test(text)) return text;
  const resolved = text === template ? `"${text}"` : `"${template}" resolved to "${text}" which`;
  throw new Error(`${resolved} is not a valid ${what} name`);
}
