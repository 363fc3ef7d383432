import { fieldError } from "../../field-error.ts";
import type { Binding, Pod, PodSpec } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import type { Findings } from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { checkAnnotations } from "../../validation/object-meta.ts";
import { checkImagePadding } from "./container-validation.ts";
import { checkPodSpec } from "./pod-spec-validation.ts";
import { checkProfileAnnotations } from "./profile-annotations.ts";

/** The annotation of pods that stand for ones from a node's files. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";
const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/** A pod. What only matters on creation is checked while the pod has no resource version yet. */
export function* checkPod(pod: Pod): Findings {
  const { spec, metadata } = pod;
  yield* checkPodAnnotations("metadata.annotations", metadata.annotations, spec);
  yield* checkPodSpec("spec", spec, metadata);
  if (!spec.serviceAccountName) yield* checkNoTokens(spec);
  for (const [index, container] of (spec.containers ?? []).entries()) {
    yield* checkImagePadding(`spec.containers[${index}]`, container);
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    yield* checkImagePadding(`spec.initContainers[${index}]`, container);
  }
  if (!metadata.resourceVersion) yield* checkNew(spec);
}

function* checkNew(spec: PodSpec): Findings {
  if (spec.ephemeralContainers?.length) {
    yield fieldError.forbidden("spec.ephemeralContainers", "cannot be set on create");
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    yield fieldError.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
  }
}

function* checkNoTokens({ volumes = [] }: PodSpec): Findings {
  for (const [index, { projected }] of volumes.entries()) {
    for (const [source, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (serviceAccountToken === undefined) continue;
      const path = `spec.volumes[${index}].projected.sources[${source}].serviceAccountToken`;
      yield fieldError.forbidden(path, "must not be specified when serviceAccountName is not set");
    }
  }
}

/** Annotations that mean something to pods. */
export function* checkPodAnnotations(
  field: string,
  annotations: ObjectMeta["annotations"],
  spec: PodSpec | undefined,
): Findings {
  const mirror = annotations?.[mirrorAnnotation];
  if (mirror !== undefined && !spec?.nodeName) {
    const message = "must set spec.nodeName if mirror pod annotation is set";
    yield fieldError.invalid(`${field}[${mirrorAnnotation}]`, mirror, message);
  }
  const cost = annotations?.[deletionCostAnnotation];
  if (cost !== undefined && !isInt32(cost)) {
    yield fieldError.invalid(`${field}[${deletionCostAnnotation}]`, cost, "must be a 32bit integer");
  }
  yield* checkProfileAnnotations(field, annotations, spec);
}

/** As numbers are written: no plus sign, no leading zeros. */
const isInt32 = (text: string): boolean =>
  /^(?:0|-?[1-9][0-9]{0,9})$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;

/** The template of a workload's pods. */
export function* checkPodTemplate(
  field: string,
  template: { readonly metadata?: ObjectMeta | undefined; readonly spec?: PodSpec | undefined },
): Findings {
  const { metadata, spec = { containers: [] } } = template;
  yield* checkLabels(`${field}.labels`, metadata?.labels);
  yield* checkAnnotations(`${field}.annotations`, metadata?.annotations);
  yield* checkPodAnnotations(`${field}.annotations`, metadata?.annotations, spec);
  yield* checkPodSpec(`${field}.spec`, spec);
  if (spec.ephemeralContainers?.length) {
    const message = "ephemeral containers not allowed in pod template";
    yield fieldError.forbidden(`${field}.spec.ephemeralContainers`, message);
  }
}

/** Which node a pod is bound to. */
export function* checkPodBinding({ target }: Binding): Findings {
  if (target?.kind && target.kind !== "Node") {
    yield fieldError.notSupported("target.kind", target.kind, ["Node", "<empty>"]);
  }
  if (!target?.name) yield fieldError.required("target.name");
}
