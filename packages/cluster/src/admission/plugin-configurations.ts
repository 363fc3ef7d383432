/** What an AdmissionConfiguration says of single plugins. */
import { type EventLimit, type NodeSelectors, type TolerationDefaults, tolerationsOf } from "@skiff/apiserver";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { badOption, objectsOf } from "../identity/config-file.ts";

const option = "admission-control-config-file";
const limitTypes = ["Server", "Namespace", "User", "SourceAndObject"] as const;
const usualCacheSize = 4096;

/** `podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: env=test, production: env=production}` */
export function nodeSelectorsOf({ podNodeSelectorPluginConfig: config }: JsonObject): NodeSelectors {
  const entries = Object.entries(isJsonObject(config) ? config : {});
  return Object.fromEntries(
    entries.flatMap(([name, value]): [string, string][] => (typeof value === "string" ? [[name, value]] : [])),
  );
}

export function tolerationDefaultsOf(configuration: JsonObject): TolerationDefaults {
  expectKind(configuration, "PodTolerationRestriction", "podtolerationrestriction.admission.k8s.io/v1alpha1");
  return { default: tolerationsOf(configuration.default), whitelist: tolerationsOf(configuration.whitelist) };
}

export function eventLimitsOf(configuration: JsonObject): readonly EventLimit[] {
  expectKind(configuration, "EventRateLimit", "eventratelimit.admission.k8s.io/v1alpha1");
  return objectsOf(configuration.limits).map((limit, index): EventLimit => {
    const type = limitTypes.find((one) => one === limit.type);
    if (type === undefined) {
      throw badOption(
        option,
        `limits[${index}].type: ${JSON.stringify(limit.type)} is none of ${limitTypes.join(", ")}`,
      );
    }
    const number = (field: string, usual?: number): number => {
      const value = limit[field] ?? usual;
      if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
      throw badOption(option, `limits[${index}].${field} must be positive`);
    };
    return { type, qps: number("qps"), burst: number("burst"), cacheSize: number("cacheSize", usualCacheSize) };
  });
}

function expectKind({ apiVersion, kind }: JsonObject, plugin: string, wanted: string): void {
  if (kind === "Configuration" && apiVersion === wanted) return;
  throw badOption(option, `${plugin} is configured by a Configuration of ${wanted}`);
}
