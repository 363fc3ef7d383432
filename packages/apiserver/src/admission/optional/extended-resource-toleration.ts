import { isExtendedResource, Pods } from "@skiff/api";
import type { AdmissionPlugin } from "../../contracts.ts";
import { objectOf } from "../narrow.ts";

/** Pods that ask for a device tolerate the taint by which nodes with such devices keep other pods away. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: "ExtendedResourceToleration",
  resources: [Pods],
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
  admit(request) {
    const spec = objectOf(request, Pods)?.spec;
    if (spec === undefined) return;
    const asked = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}).filter(isExtendedResource),
    );
    const given = spec.tolerations ?? [];
    const missing = [...new Set(asked)]
      .sort()
      .filter((key) => !given.some((one) => one.key === key && one.operator === "Exists" && !one.effect));
    if (missing.length > 0) spec.tolerations = [...given, ...missing.map((key) => ({ key, operator: "Exists" }))];
  },
};
