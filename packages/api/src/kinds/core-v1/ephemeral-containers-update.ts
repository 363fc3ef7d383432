import { deepCopy, jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Pod } from "../../generated/types/core-v1.ts";
import type { PartRules } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { specDifference } from "../spec-difference.ts";
import { checkPod, mirrorAnnotation } from "./pod-validation.ts";

/** `pods/ephemeralcontainers`: containers for debugging can be added, and that is all. */
export const ephemeralContainersUpdate: PartRules<Pod> = {
  prepare(pod, old) {
    const { ephemeralContainers } = pod.spec;
    keepPod(pod, old);
    pod.spec = { ...deepCopy(old.spec), ephemeralContainers };
    if (ephemeralContainers === undefined) delete pod.spec.ephemeralContainers;
  },
  validate: (pod, old) =>
    old.metadata.annotations?.[mirrorAnnotation] === undefined
      ? [...checkPod(pod), ...checkAdded(pod, old)]
      : [fieldError.forbidden("", "static pods do not support ephemeral containers")],
};

/** Makes all of a pod but its managed fields what it was. */
export function keepPod(pod: Pod, old: Pod): void {
  const { managedFields } = pod.metadata;
  pod.metadata = { ...deepCopy(old.metadata), ...(managedFields && { managedFields }) };
  pod.spec = deepCopy(old.spec);
  pod.status = deepCopy(old.status);
}

function* checkAdded(pod: Pod, old: Pod): Findings {
  const field = "spec.ephemeralContainers";
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = pod.spec.ephemeralContainers?.find(({ name }) => name === before.name);
    const which = `existing ephemeral containers ${JSON.stringify(before.name)}`;
    if (now === undefined) yield fieldError.forbidden(field, `${which} may not be removed\n`);
    else if (!jsonEqual(before, now)) {
      const difference = specDifference("core.EphemeralContainer", before, now);
      yield fieldError.forbidden(field, `${which} may not be changed\n${difference}`);
    }
  }
}
