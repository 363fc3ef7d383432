/** What the options of a cluster say of admission: which plugins are on, and how PodSecurity is configured. */
import { dirname, resolve } from "node:path";
import {
  type AdmissionChoice,
  admissionPlugins,
  type NamespacePolicy,
  namespacePolicy,
  type PodSecurityConfiguration,
  privilegedPolicy,
} from "@skiff/apiserver";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { parse } from "yaml";
import type { ApiServerFlags } from "../identity/api-server-flags.ts";
import { badOption, objectsOf, readConfiguration, readOption, textOf, textsOf } from "../identity/config-file.ts";
import { eventLimitsOf, nodeSelectorsOf, tolerationDefaultsOf } from "./plugin-configurations.ts";

const fileOption = "admission-control-config-file";

/** Reads the options. Throws `ClusterError` for plugins that there are not and files that say nonsense. */
export async function admissionOptions(flags: ApiServerFlags): Promise<AdmissionChoice> {
  const enabled = pluginsIn(flags, "enable-admission-plugins");
  const disabled = pluginsIn(flags, "disable-admission-plugins");
  const both = enabled.filter((name) => disabled.includes(name));
  if (both.length > 0) throw badOption("enable-admission-plugins", `${both.join(", ")} cannot be on and off`);
  const file = flags[fileOption]?.at(-1);
  const configuration = file === undefined ? {} : await configured(file);
  if (enabled.includes("EventRateLimit") && (configuration.eventLimits ?? []).length === 0) {
    throw badOption(fileOption, "EventRateLimit needs a configuration with limits");
  }
  return { enabled, disabled, ...configuration };
}

function pluginsIn(flags: ApiServerFlags, option: string): readonly string[] {
  const names = (flags[option] ?? []).flatMap((list) => list.split(",")).filter((name) => name !== "");
  const unknown = names.find((name) => !admissionPlugins.includes(name));
  if (unknown !== undefined) throw badOption(option, `plugin ${JSON.stringify(unknown)} is unknown`);
  return names;
}

type Configured = Omit<AdmissionChoice, "enabled" | "disabled">;

/** How each plugin that can be configured reads what is said of it. */
const readers: Readonly<Record<string, (configuration: JsonObject) => Configured>> = {
  PodSecurity: (given) => ({ podSecurity: podSecurityOf(given) }),
  PodNodeSelector: (given) => ({ podNodeSelectors: nodeSelectorsOf(given) }),
  PodTolerationRestriction: (given) => ({ podTolerations: tolerationDefaultsOf(given) }),
  EventRateLimit: (given) => ({ eventLimits: eventLimitsOf(given) }),
};

async function configured(file: string): Promise<Configured> {
  const { plugins } = await readConfiguration(fileOption, file, "AdmissionConfiguration");
  let found: Configured = {};
  for (const { name, path, configuration } of objectsOf(plugins)) {
    const reader = typeof name === "string" && Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined) continue;
    const place = textOf(path);
    const given: unknown =
      place === undefined ? configuration : parse(await readOption(fileOption, resolve(dirname(file), place)));
    if (!isJsonObject(given)) throw badOption(fileOption, `${String(name)} has no configuration`);
    found = { ...found, ...reader(given) };
  }
  return found;
}

function podSecurityOf({ kind, defaults, exemptions }: JsonObject): PodSecurityConfiguration {
  if (kind !== "PodSecurityConfiguration") {
    throw badOption(fileOption, "PodSecurity is configured by a PodSecurityConfiguration");
  }
  const exempt = isJsonObject(exemptions) ? exemptions : {};
  return {
    defaults: defaultsOf(isJsonObject(defaults) ? defaults : {}),
    exemptions: {
      usernames: textsOf(exempt.usernames),
      runtimeClasses: textsOf(exempt.runtimeClasses),
      namespaces: textsOf(exempt.namespaces),
    },
  };
}

/** `enforce: baseline`, `enforce-version: v1.30`: said as labels of namespaces say it. */
function defaultsOf(defaults: JsonObject): NamespacePolicy {
  const said = Object.entries(defaults).flatMap(([mode, value]): [string, string][] =>
    typeof value === "string" ? [[`pod-security.kubernetes.io/${mode}`, value]] : [],
  );
  // Unlike a namespace, a configuration that only enforces does not warn.
  const quiet: [string, string][] = [["pod-security.kubernetes.io/warn", "privileged"]];
  const { policy, errors } = namespacePolicy(Object.fromEntries([...quiet, ...said]), privilegedPolicy);
  const [first] = errors;
  if (first !== undefined) throw badOption(fileOption, `defaults: ${JSON.stringify(first.value)} ${first.detail}`);
  return policy;
}
