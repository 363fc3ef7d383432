import { conformObject, DecodeFailure, parseBody, schemaOf, strictDecodingError } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ComponentConfiguration, ConfigurablePlugin, PluginArguments } from "./component-configuration.ts";
import { notations } from "./notation.ts";

const group = "kubescheduler.config.k8s.io";
const apiVersion = `${group}/v1`;

/** A configuration cannot be used; the message is Kubernetes'. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly code = "CONFIGURATION_INVALID";
}

/** A configuration as it was written, and what each profile's plugins are told. */
export interface DecodedConfiguration {
  readonly configuration: ComponentConfiguration;
  readonly pluginArguments: readonly Partial<PluginArguments>[];
}

/** Reads YAML or JSON strictly: unknown fields and fields written twice are refused. Throws `ConfigurationError`. */
export function decodeConfiguration(text: string): DecodedConfiguration {
  try {
    const { value, duplicates } = parseBody(text, "yaml");
    const object = rootOf(value);
    const strict = duplicates === undefined ? [] : [duplicates];
    strict.push(
      ...conformObject(object, schemaOf("kubescheduler.v1.KubeSchedulerConfiguration", notations)).strictErrors,
    );
    if (strict.length > 0) throw new ConfigurationError(strictDecodingError(strict));
    if (!isConfiguration(object)) throw new ConfigurationError("the file must hold an object");
    return { configuration: object, pluginArguments: decodeArguments(object) };
  } catch (error) {
    if (error instanceof DecodeFailure) throw new ConfigurationError(error.message, { cause: error });
    throw error;
  }
}

/** Decoding against the schema has given the object this form: the one place where that is said. */
const isConfiguration = (_object: JsonObject): _object is JsonObject & ComponentConfiguration => true;
const isPluginArguments = (
  _args: Readonly<Record<string, JsonObject>>,
): _args is Record<string, JsonObject> & Partial<PluginArguments> => true;

function rootOf(value: JsonValue): JsonObject {
  if (!isJsonObject(value)) throw new ConfigurationError("couldn't get version/kind; the file must hold an object");
  const { kind, apiVersion: version } = value;
  const shown = JSON.stringify(value);
  if (typeof kind !== "string" || kind === "") throw new ConfigurationError(`Object 'Kind' is missing in '${shown}'`);
  if (typeof version !== "string" || version === "") {
    throw new ConfigurationError(`Object 'apiVersion' is missing in '${shown}'`);
  }
  if (version !== apiVersion || kind !== "KubeSchedulerConfiguration") throw notRegistered(kind, version);
  return value;
}

const notRegistered = (kind: string, version: string): ConfigurationError =>
  new ConfigurationError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)}`);

function decodeArguments({ profiles = [] }: ComponentConfiguration): readonly Partial<PluginArguments>[] {
  const strict: string[] = [];
  const decoded = profiles.map(({ pluginConfig = [] }, profile) => {
    const found: Record<string, JsonObject> = {};
    for (const [index, { name, args = {} }] of pluginConfig.entries()) {
      // Plugins that are not Kubernetes' own take what they like.
      if (!isConfigurable(name)) continue;
      const place = `decoding .profiles[${profile}].pluginConfig[${index}]: `;
      const errors = conformArguments(name, args, place);
      if (errors.length > 0) {
        const why = `decoding args for plugin ${name}: ${strictDecodingError(errors)}`;
        strict.push(`${place}${strictDecodingError([why])}`);
      }
      found[name] = args;
    }
    return isPluginArguments(found) ? found : {};
  });
  if (strict.length > 0) throw new ConfigurationError(strictDecodingError(strict));
  return decoded;
}

function conformArguments(name: ConfigurablePlugin, args: JsonObject, place: string): readonly string[] {
  const { kind, apiVersion: version } = args;
  if (typeof kind === "string" && kind !== "" && kind !== `${name}Args`) {
    if (!Object.hasOwn(notations, `kubescheduler.v1.${kind}`)) throw notRegistered(kind, String(version ?? apiVersion));
    const got = `${name}Args.${group}, got ${kind}.${group}`;
    throw new ConfigurationError(`${place}args for plugin ${name} were not of type ${got}`);
  }
  if (typeof version === "string" && version !== "" && version !== apiVersion)
    throw notRegistered(`${name}Args`, version);
  try {
    return conformObject(args, schemaOf(`kubescheduler.v1.${name}Args`, notations)).strictErrors;
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    throw new ConfigurationError(`${place}decoding args for plugin ${name}: ${error.message}`, { cause: error });
  }
}

/** Whether the plugin of that name takes arguments. */
export const isConfigurable = (name: string): name is ConfigurablePlugin =>
  Object.hasOwn(notations, `kubescheduler.v1.${name}Args`);
