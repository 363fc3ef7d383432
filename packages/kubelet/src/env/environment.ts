import type { ConfigMap, Container, EnvVar, FileKeySelector, Pod, Secret } from "@skiff/api";
import { envFileValue } from "./env-file.ts";
import { expand } from "./expand.ts";
import { type PodFacts, podField } from "./field-ref.ts";
import { resourceField } from "./resource-field.ts";

/** A container cannot be configured: reported as `CreateContainerConfigError` with this message. */
export class ContainerConfigError extends Error {
  override name = "ContainerConfigError";
}

/** Objects that an environment refers to; `undefined` for those that do not exist. */
export interface EnvironmentSources {
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** The text of a file in a volume of the pod. */
  file(volume: string, path: string): Promise<string | undefined>;
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly facts: PodFacts;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, string>>;
  readonly sources: EnvironmentSources;
}

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/**
 * A container's environment: Services first, then `envFrom` in order, then `env`, each over the ones before; values may
 * use `$(NAME)` of those before them.
 */
export async function environment(input: EnvironmentInput): Promise<ReadonlyMap<string, string>> {
  const result = new Map<string, string>();
  for (const source of input.container.envFrom ?? []) {
    const values = await envFrom(source, input);
    for (const [key, value] of Object.entries(values)) result.set(`${source.prefix ?? ""}${key}`, value);
  }
  const lookup = (name: string) => result.get(name) ?? input.services[name];
  for (const variable of input.container.env ?? []) {
    const value =
      variable.valueFrom === undefined ? expand(variable.value ?? "", lookup) : await valueFrom(variable, input);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of Object.entries(input.services)) if (!result.has(name)) result.set(name, value);
  return result;
}

async function envFrom(
  source: NonNullable<Container["envFrom"]>[number],
  { sources }: EnvironmentInput,
): Promise<Readonly<Record<string, string>>> {
  if (source.configMapRef !== undefined) {
    const { name = "", optional = false } = source.configMapRef;
    const object = await sources.configMap(name);
    if (object !== undefined) return object.data ?? {};
    if (!optional) throw new ContainerConfigError(`configmap "${name}" not found`);
  }
  if (source.secretRef !== undefined) {
    const { name = "", optional = false } = source.secretRef;
    const object = await sources.secret(name);
    if (object !== undefined)
      return Object.fromEntries(Object.entries(object.data ?? {}).map(([key, value]) => [key, decode(value)]));
    if (!optional) throw new ContainerConfigError(`secret "${name}" not found`);
  }
  return {};
}

async function valueFrom(variable: EnvVar, input: EnvironmentInput): Promise<string | undefined> {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = variable.valueFrom ?? {};
  const { pod, sources } = input;
  if (fieldRef !== undefined) return podField(fieldRef.fieldPath, pod, input.facts);
  if (resourceFieldRef !== undefined) {
    return resourceField(resourceFieldRef, {
      pod,
      container: input.container.name,
      allocatable: input.allocatable,
    });
  }
  if (configMapKeyRef !== undefined) {
    const { name = "", key, optional = false } = configMapKeyRef;
    const object = await sources.configMap(name);
    if (object === undefined) {
      if (optional) return undefined;
      throw new ContainerConfigError(`configmap "${name}" not found`);
    }
    const value = object.data?.[key];
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`);
    return value;
  }
  if (secretKeyRef !== undefined) {
    const { name = "", key, optional = false } = secretKeyRef;
    const object = await sources.secret(name);
    if (object === undefined) {
      if (optional) return undefined;
      throw new ContainerConfigError(`secret "${name}" not found`);
    }
    const value = object.data?.[key];
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`);
    return value === undefined ? undefined : decode(value);
  }
  return fileKeyRef === undefined ? undefined : fileValue(fileKeyRef, sources);
}

async function fileValue(selector: FileKeySelector, sources: EnvironmentSources): Promise<string | undefined> {
  const { volumeName, path, key, optional = false } = selector;
  const text = await sources.file(volumeName, path);
  if (text === undefined && !optional)
    throw new ContainerConfigError(`failed to open environment variable file "${path}" of volume "${volumeName}"`);
  const value = envFileValue(text ?? "", key);
  if (value === undefined && !optional)
    throw new ContainerConfigError(`environment variable key "${key}" not found in file "${path}"`);
  return value;
}
