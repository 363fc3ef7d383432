import { jsonEqual } from "@skiff/base";
import { defineResource, keepField } from "../../define-resource.ts";
import type { Pod } from "../../generated/types/core-v1.ts";
import { isPodTerminal } from "../pod-state.ts";
import { qosClass } from "../quality-of-service.ts";
import { ephemeralContainersUpdate } from "./ephemeral-containers-update.ts";
import { mergeLabelKeys } from "./label-keys.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { podResize } from "./pod-resize.ts";
import { checkPodStatusUpdate } from "./pod-subresource-validation.ts";
import { checkPodUpdate } from "./pod-update-validation.ts";
import { checkPod } from "./pod-validation.ts";
import { podWarnings } from "./pod-warnings.ts";
import { gatedCondition } from "./scheduling-gates.ts";

const hasSameContent = (pod: Pod, old: Pod): boolean =>
  jsonEqual(pod.metadata.annotations, old.metadata.annotations) && jsonEqual(pod.spec, old.spec);

/** `pods`. */
export const Pods = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  columns: podColumns,
  selectableFields: [
    { path: "spec.nodeName", value: ({ spec }) => spec?.nodeName ?? "" },
    { path: "spec.restartPolicy", value: ({ spec }) => spec?.restartPolicy ?? "" },
    { path: "spec.schedulerName", value: ({ spec }) => spec?.schedulerName ?? "" },
    { path: "spec.serviceAccountName", value: ({ spec }) => spec?.serviceAccountName ?? "" },
    { path: "spec.hostNetwork", value: ({ spec }) => String(spec?.hostNetwork === true) },
    { path: "status.phase", value: ({ status }) => status?.phase ?? "" },
    { path: "status.podIP", value: ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? "" },
    { path: "status.podIPs", value: ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? "" },
    { path: "status.nominatedNodeName", value: ({ status }) => status?.nominatedNodeName ?? "" },
  ],
  defaults: defaultPod,
  prepareCreate(pod) {
    pod.status = { phase: "Pending", qosClass: qosClass(pod), ...gatedCondition(pod) };
    mergeLabelKeys(pod);
  },
  prepareStatusUpdate(pod, old) {
    keepField(pod.metadata, old.metadata, "ownerReferences");
    // Deletion is asked for by deleting; a status report cannot begin or end it.
    keepField(pod.metadata, old.metadata, "deletionTimestamp");
    pod.status.qosClass ??= old.status?.qosClass;
  },
  // What was found to be right once need not be looked at again with each finalizer and label.
  validate: (pod, old) => (old !== undefined && hasSameContent(pod, old) ? [] : [...checkPod(pod)]),
  validateUpdate: (pod, old) => [...checkPodUpdate(pod, old)],
  validateStatusUpdate: (pod, old) => [...checkPodStatusUpdate(pod, old)],
  warnings: (pod, old) =>
    old?.metadata.generation === pod.metadata.generation ? [] : podWarnings(pod.metadata, pod.spec),
  parts: { ephemeralcontainers: ephemeralContainersUpdate, resize: podResize },
  gracePeriodSeconds(pod, asked) {
    // A pod that nobody runs, or that has ended, has nothing to wind up.
    if (!pod.spec.nodeName || isPodTerminal(pod)) return 0;
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    // Less than nothing is as soon as can be, which is not the same as without waiting.
    return seconds < 0 ? 1 : seconds;
  },
});
