import { fieldError } from "../../field-error.ts";
import type {
  EnvFromSource,
  EnvVar,
  ObjectFieldSelector,
  PodSpec,
  ResourceFieldSelector,
} from "../../generated/types/core-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import { checkQualifiedName, checkRequired, type Findings, invalidFor } from "../../validation/checks.ts";
import { configMapKey, dnsSubdomainName, relaxedEnvVarName } from "../../validation/names.ts";
import { containersWithPaths } from "./pod-containers.ts";

/** Fields of a pod that an environment variable can have the value of. */
const environmentFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** Fields of a pod that have a name the API knows, whether or not they can be shown. */
const knownFields = new Set([
  ...environmentFields,
  "metadata.annotations",
  "metadata.labels",
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);

const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

/** The variables of a container. */
export function* checkEnvironment(field: string, variables: readonly EnvVar[]): Findings {
  for (const [index, variable] of variables.entries()) {
    const path = `${field}[${index}]`;
    if (variable.name) yield* invalidFor(`${path}.name`, variable.name, relaxedEnvVarName(variable.name));
    else yield fieldError.required(`${path}.name`);
    yield* checkValueFrom(`${path}.valueFrom`, variable);
  }
}

/** Files that variables come from lie in volumes of the pod's own. */
export function* checkFileVolumes(field: string, spec: PodSpec): Findings {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  for (const [path, { env }] of containersWithPaths(field, spec)) {
    for (const [index, { valueFrom }] of (env ?? []).entries()) {
      const name = valueFrom?.fileKeyRef?.volumeName;
      if (!name) continue;
      const namePath = `${path}.env[${index}].valueFrom.fileKeyRef.volumeName`;
      const volume = volumes.get(name);
      if (volume === undefined) yield fieldError.notFound(namePath, name);
      else if (!volume.emptyDir) {
        yield fieldError.invalid(namePath, name, "referenced volume must be of type emptyDir");
      }
    }
  }
}

function* checkValueFrom(field: string, { value, valueFrom }: EnvVar): Findings {
  if (valueFrom === undefined) return;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef) yield* checkFieldRef(`${field}.fieldRef`, fieldRef, environmentFields);
  if (resourceFieldRef) yield* checkResourceFieldRef(`${field}.resourceFieldRef`, resourceFieldRef, false);
  if (configMapKeyRef) yield* checkKeyRef(`${field}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef) yield* checkKeyRef(`${field}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef) {
    yield* checkRequired(`${field}.fileKeyRef.volumeName`, fileKeyRef.volumeName);
    yield* checkRequired(`${field}.fileKeyRef.path`, fileKeyRef.path);
    yield* checkRequired(`${field}.fileKeyRef.key`, fileKeyRef.key);
  }
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (sources === 0) {
    const message =
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    yield fieldError.invalid(field, "", message);
  } else if (value) yield fieldError.invalid(field, "", "may not be specified when `value` is not empty");
  else if (sources > 1) yield fieldError.invalid(field, "", "may not have more than one field specified at a time");
}

/** A field of the pod by its path: `metadata.labels['app']`. `supported` are the paths without a subscript. */
export function* checkFieldRef(field: string, ref: ObjectFieldSelector, supported: readonly string[]): Findings {
  const { apiVersion, fieldPath } = ref;
  if (!apiVersion) return yield fieldError.required(`${field}.apiVersion`);
  if (!fieldPath) return yield fieldError.required(`${field}.fieldPath`);
  const [, path = fieldPath, subscript] = /^(.+)\['(.*)'\]$/.exec(fieldPath) ?? [];
  const problem = fieldPathProblem(apiVersion, path, subscript !== undefined);
  if (problem !== undefined) {
    return yield fieldError.invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${problem}`);
  }
  if (subscript !== undefined) {
    yield* checkQualifiedName(field, path === "metadata.annotations" ? subscript.toLowerCase() : subscript);
  } else if (!supported.includes(path)) yield fieldError.notSupported(`${field}.fieldPath`, path, supported);
}

function fieldPathProblem(apiVersion: string, path: string, subscripted: boolean): string | undefined {
  if (apiVersion !== "v1") return `unsupported pod version: ${apiVersion}`;
  if (subscripted && path !== "metadata.annotations" && path !== "metadata.labels") {
    return `field label does not support subscript: ${path}`;
  }
  return knownFields.has(path) ? undefined : `field label not supported: ${path}`;
}

/** A container's request or limit. Volumes must say of which container. */
export function* checkResourceFieldRef(field: string, ref: ResourceFieldSelector, inVolume: boolean): Findings {
  const { resource, containerName } = ref;
  const hugePages = /^(?:requests|limits)\.hugepages-/.test(resource);
  if (inVolume && !containerName) yield fieldError.required(`${field}.containerName`);
  else if (!resource) yield fieldError.required(`${field}.resource`);
  else if (!resourceFields.includes(resource) && !hugePages) {
    yield fieldError.notSupported(`${field}.resource`, resource, resourceFields);
  }
  yield* checkDivisor(field, ref);
}

const sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
const amounts: readonly { readonly of: RegExp; readonly divisors: readonly string[]; readonly named: string }[] = [
  { of: /\.memory$/, divisors: sizes, named: "memory" },
  { of: /\.ephemeral-storage$/, divisors: sizes, named: "local ephemeral storage" },
  { of: /\.hugepages-/, divisors: sizes, named: "hugepages" },
];

function* checkDivisor(field: string, { resource, divisor }: ResourceFieldSelector): Findings {
  if (divisor === undefined || compareQuantities(divisor, "0") === 0) return;
  if (resource.endsWith(".cpu")) {
    if (["1m", "1"].includes(divisor)) return;
    const message = "only divisor's values 1m and 1 are supported with the cpu resource";
    return yield fieldError.invalid(`${field}.divisor`, resource, message);
  }
  for (const { of, divisors, named } of amounts) {
    if (!of.test(resource) || divisors.includes(divisor)) continue;
    const message = `only divisor's values ${divisors.join(", ")} are supported with the ${named} resource`;
    yield fieldError.invalid(`${field}.divisor`, resource, message);
  }
}

function* checkKeyRef(field: string, ref: { readonly name?: string | undefined; readonly key: string }): Findings {
  const { name = "", key } = ref;
  yield* invalidFor(`${field}.name`, name, dnsSubdomainName(name, false));
  if (key) yield* invalidFor(`${field}.key`, key, configMapKey(key));
  else yield fieldError.required(`${field}.key`);
}

/** ConfigMaps and Secrets whose keys all become variables. */
export function* checkEnvironmentFrom(field: string, sources: readonly EnvFromSource[]): Findings {
  for (const [index, { prefix, configMapRef, secretRef }] of sources.entries()) {
    const path = `${field}[${index}]`;
    if (prefix) yield* invalidFor(`${path}.prefix`, prefix, relaxedEnvVarName(prefix));
    if (configMapRef) yield* checkSourceName(`${path}.configMapRef.name`, configMapRef.name);
    if (secretRef) yield* checkSourceName(`${path}.secretRef.name`, secretRef.name);
    if (!configMapRef && !secretRef) {
      yield fieldError.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (configMapRef && secretRef) {
      yield fieldError.invalid(field, "", "may not have more than one field specified at a time");
    }
  }
}

function* checkSourceName(field: string, name: string | undefined): Findings {
  if (name) yield* invalidFor(field, name, dnsSubdomainName(name, true));
  else yield fieldError.required(field);
}
