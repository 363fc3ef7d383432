import { asMillis, type Container, type Pod } from "@skiff/api";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const computed = ["cpu", "memory"] as const;

const amount = (list: Record<string, string> | undefined, name: string): number => {
  const text = list?.[name];
  return text === undefined ? 0 : asMillis(text);
};

/** The class that the pod's requests and limits put it in; kept from the status where that has it already. */
export function qosClass(pod: Pod): QosClass {
  const known = pod.status?.qosClass;
  if (known === "Guaranteed" || known === "Burstable" || known === "BestEffort") return known;
  return computeQosClass([...pod.spec.containers, ...(pod.spec.initContainers ?? [])]);
}

export function computeQosClass(containers: readonly Container[]): QosClass {
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of computed) {
      const limit = amount(resources?.limits, name);
      const request = resources?.requests?.[name] === undefined ? limit : amount(resources.requests, name);
      if (limit > 0 || request > 0) any = true;
      if (limit <= 0 || request !== limit) guaranteed = false;
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}
