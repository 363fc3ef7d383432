import { defineResource, keepField } from "../../define-resource.ts";
import type { DeviceClaim, ExactDeviceRequest, ResourceClaim } from "../../generated/types/resource-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { allocatedDevices, checkClaimStatusUpdate, deviceId } from "./claim-status-validation.ts";
import { checkDeviceClaim } from "./device-claim-validation.ts";

function stateText({ metadata, status }: ResourceClaim): string {
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = deleted ? ["deleted"] : [];
  if (status?.allocation === undefined) return [...states, ...(deleted ? [] : ["pending"])].join(",");
  return [...states, "allocated", ...(status.reservedFor?.length ? ["reserved"] : [])].join(",");
}

const columns: readonly Column<ResourceClaim>[] = [
  {
    title: "State",
    description: "A summary of the current state (allocated, pending, reserved, etc.).",
    value: stateText,
  },
  age,
];

/** Fills in what a claim asks for, also within a template. */
export function defaultDeviceClaim({ requests = [] }: DeviceClaim): void {
  for (const { exactly, firstAvailable = [] } of requests) {
    for (const asked of [...(exactly ? [exactly] : []), ...firstAvailable]) defaultAsked(asked);
  }
}

function defaultAsked(asked: Pick<ExactDeviceRequest, "allocationMode" | "count" | "tolerations">): void {
  asked.allocationMode ||= "ExactCount";
  if (asked.allocationMode === "ExactCount") asked.count ||= 1;
  for (const toleration of asked.tolerations ?? []) toleration.operator ||= "Equal";
}

/** `resourceclaims.resource.k8s.io`. */
export const ResourceClaims = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  generation: "none",
  columns,
  defaults(claim) {
    if (!claim.spec) Reflect.set(claim, "spec", {});
    claim.spec.devices ??= {};
    defaultDeviceClaim(claim.spec.devices);
  },
  prepareStatusUpdate({ metadata, status }, old) {
    for (const field of ["labels", "annotations", "finalizers", "ownerReferences"]) {
      keepField(metadata, old.metadata, field);
    }
    // Reports about devices end with their allocation.
    const before = allocatedDevices(old.status?.allocation);
    const now = allocatedDevices(status.allocation);
    const kept = status.devices?.filter((device) => now.has(deviceId(device)) || !before.has(deviceId(device)));
    if (kept?.length) status.devices = kept;
    else delete status.devices;
  },
  validate: ({ spec }, old) => (old === undefined ? [...checkDeviceClaim("spec.devices", spec.devices)] : []),
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec", spec, old.spec)],
  validateStatusUpdate: (claim, old) => [...checkClaimStatusUpdate(claim, old)],
});
