import { Namespaces, Pods, qosClass, type Toleration } from "@skiff/api";
import { isJsonObject, type JsonObject, jsonEqual, parseJson } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { objectOf } from "../narrow.ts";
import { failed } from "./failed.ts";

/** What holds where a namespace says nothing. */
export interface TolerationDefaults {
  readonly default: readonly Toleration[];
  readonly whitelist: readonly Toleration[];
}

const annotations = {
  default: "scheduler.alpha.kubernetes.io/defaultTolerations",
  whitelist: "scheduler.alpha.kubernetes.io/tolerationsWhitelist",
} as const;

const memoryPressure: Toleration = {
  key: "node.kubernetes.io/memory-pressure",
  operator: "Exists",
  effect: "NoSchedule",
};

/**
 * Gives pods the tolerations of their namespace, and lets them have none but those that it allows.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podtolerationrestriction
 */
export function podTolerationRestriction(table: ResourceTable, defaults?: TolerationDefaults): AdmissionPlugin {
  const said = async (
    { namespace = "" }: AdmissionRequest,
    what: keyof typeof annotations,
  ): Promise<readonly Toleration[] | undefined> => {
    const namespaces = table.of(Namespaces);
    const { metadata } = namespaces.peek({ name: namespace }) ?? (await namespaces.get({ name: namespace }));
    const text = metadata.annotations?.[annotations[what]];
    return text === undefined || text === "" ? undefined : read(text);
  };
  return {
    name: "PodTolerationRestriction",
    resources: [Pods],
    handles: ({ operation, subresource }) =>
      (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
    async admit(request) {
      const pod = objectOf(request, Pods);
      if (pod === undefined) return;
      const own = request.operation === "CREATE" ? ((await said(request, "default")) ?? defaults?.default ?? []) : [];
      const extra = qosClass(pod) === "BestEffort" ? own : [...own, memoryPressure];
      if (extra.length > 0) pod.spec.tolerations = [...merged([...(pod.spec.tolerations ?? []), ...extra])];
    },
    async validate(request) {
      const given = objectOf(request, Pods)?.spec.tolerations ?? [];
      if (given.length === 0) return;
      const own = await said(request, "whitelist");
      const allowed = own ?? defaults?.whitelist ?? [];
      if (allowed.length === 0 || given.every((one) => allowed.some((other) => covers(other, one)))) return;
      const whose = own === undefined ? "cluster" : "namespace";
      throw failed(
        `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${whose} whitelist`,
      );
    },
  };
}

/** Without those that another covers; of equal ones the first stays. */
function merged(all: readonly Toleration[]): readonly Toleration[] {
  const kept: Toleration[] = [];
  for (const [index, one] of all.entries()) {
    const later = all.slice(index + 1).some((other) => !jsonEqual(other, one) && covers(other, one));
    if (!later && !kept.some((other) => covers(other, one))) kept.push(one);
  }
  return kept;
}

/** Whether whoever has `wide` tolerates all that `narrow` does. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (jsonEqual(wide, narrow)) return true;
  if ((narrow.key ?? "") !== (wide.key ?? "") && (wide.key || wide.operator !== "Exists")) return false;
  if ((narrow.effect ?? "") !== (wide.effect ?? "") && wide.effect) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined) {
    if ((narrow.tolerationSeconds ?? Number.POSITIVE_INFINITY) > wide.tolerationSeconds) return false;
  }
  if (wide.operator === "Exists") return true;
  if (wide.operator !== undefined && wide.operator !== "" && wide.operator !== "Equal") return false;
  return narrow.operator === "Equal" && (narrow.value ?? "") === (wide.value ?? "");
}

function read(text: string): readonly Toleration[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
  return tolerationsOf(value);
}

/** Tolerations of a list in JSON; what is none is left out. */
export const tolerationsOf = (value: unknown): readonly Toleration[] =>
  Array.isArray(value) ? value.filter(isJsonObject).map(tolerationOf) : [];

function tolerationOf(object: JsonObject): Toleration {
  const text = (field: string) => {
    const value = object[field];
    return typeof value === "string" ? { [field]: value } : {};
  };
  const { tolerationSeconds } = object;
  return {
    ...text("key"),
    ...text("operator"),
    ...text("value"),
    ...text("effect"),
    ...(typeof tolerationSeconds === "number" ? { tolerationSeconds } : {}),
  };
}
