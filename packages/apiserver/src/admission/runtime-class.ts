import { Pods, RuntimeClasses } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { objectOf, refused } from "./narrow.ts";

/** Pods get the overhead, node selector and tolerations of their runtime class. */
export function runtimeClassAdmission(table: ResourceTable): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    resources: [Pods],
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
    validate(request) {
      const spec = objectOf(request, Pods)?.spec;
      if (spec?.overhead === undefined) return;
      const name = spec.runtimeClassName;
      if (name && table.of(RuntimeClasses).peek({ name })?.overhead?.podFixed !== undefined) return;
      throw refused(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    },
    async admit(request) {
      const spec = objectOf(request, Pods)?.spec;
      const name = spec?.runtimeClassName;
      if (spec === undefined || !name) return;
      const classes = table.of(RuntimeClasses);
      const found = classes.peek({ name }) ?? (await classes.get({ name }).catch(() => undefined));
      if (found === undefined) throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
      const overhead = found.overhead?.podFixed;
      if (overhead !== undefined) {
        if (spec.overhead !== undefined && !jsonEqual(spec.overhead, overhead)) {
          throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }
        spec.overhead = { ...overhead };
      }
      const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {};
      for (const [key, value] of Object.entries(nodeSelector)) {
        const given = spec.nodeSelector?.[key];
        if (given !== undefined && given !== value) {
          throw refused(
            request,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${given}`,
          );
        }
        spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
      }
      const known = spec.tolerations ?? [];
      const added = tolerations.filter((item) => !known.some((other) => jsonEqual(other, item)));
      if (added.length > 0) spec.tolerations = [...known, ...added.map((item) => ({ ...item }))];
    },
  };
}
