import { type FieldError, fieldError, type Pod, type PodSpec, Pods, refusals } from "@skiff/api";
import { deepCopy, jsonEqual } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";
import { objectOf, oldObjectOf } from "./narrow.ts";

type Apply = (kept: PodSpec, wanted: PodSpec) => void;

/** What each subresource may change; all else of the pod stays, whatever was sent. */
const parts: Readonly<Record<string, Apply | undefined>> = {
  ephemeralcontainers(kept, wanted) {
    if (wanted.ephemeralContainers !== undefined) kept.ephemeralContainers = wanted.ephemeralContainers;
    else delete kept.ephemeralContainers;
  },
};

function restrict(pod: Pod, old: Pod, apply: Apply): void {
  const kept = deepCopy(old);
  if (kept.spec === undefined || pod.spec === undefined) return;
  apply(kept.spec, pod.spec);
  pod.spec = kept.spec;
  const { managedFields, generation } = pod.metadata;
  pod.metadata = {
    ...kept.metadata,
    ...(managedFields === undefined ? {} : { managedFields }),
    ...(generation === undefined ? {} : { generation }),
  };
  if (kept.status !== undefined) pod.status = kept.status;
}

/** Debug containers come and never go or change. */
function ephemeralErrors(pod: Pod, old: Pod): FieldError[] {
  const field = "spec.ephemeralContainers";
  const wanted = pod.spec?.ephemeralContainers ?? [];
  return (old.spec?.ephemeralContainers ?? []).flatMap((before) => {
    const now = wanted.find(({ name }) => name === before.name);
    const quoted = JSON.stringify(before.name);
    if (now === undefined)
      return [fieldError.forbidden(field, `existing ephemeral containers ${quoted} may not be removed`)];
    return jsonEqual(now, before)
      ? []
      : [fieldError.forbidden(field, `existing ephemeral containers ${quoted} may not be changed`)];
  });
}

function check(request: AdmissionRequest): void {
  const pod = objectOf(request, Pods);
  const old = oldObjectOf(request, Pods);
  if (pod === undefined || old === undefined || request.subresource !== "ephemeralcontainers") return;
  const errors = ephemeralErrors(pod, old);
  if (errors.length > 0) throw refusals.invalid({ group: "", kind: "Pod", name: old.metadata.name }, errors);
}

/** No plugin of Kubernetes: there the registry of Pods does it, for `pods/ephemeralcontainers`. */
export const podPartsAdmission: AdmissionPlugin = {
  name: "PodParts",
  resources: [Pods],
  handles: ({ operation, subresource = "" }) => operation === "UPDATE" && parts[subresource] !== undefined,
  admit(request) {
    const pod = objectOf(request, Pods);
    const old = oldObjectOf(request, Pods);
    const apply = parts[request.subresource ?? ""];
    if (pod !== undefined && old !== undefined && apply !== undefined) restrict(pod, old, apply);
  },
  validate: check,
};
