import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { CSIDriver, TokenRequest } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkChoice, checkImmutable, type Findings } from "../../validation/checks.ts";
import { age, orNone } from "../columns.ts";

const columns: readonly Column<CSIDriver>[] = [
  { title: "AttachRequired", type: "boolean", value: ({ spec }) => spec?.attachRequired ?? true },
  { title: "PodInfoOnMount", type: "boolean", value: ({ spec }) => spec?.podInfoOnMount ?? false },
  { title: "StorageCapacity", type: "boolean", value: ({ spec }) => spec?.storageCapacity ?? false },
  {
    title: "TokenRequests",
    value: ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>",
  },
  { title: "RequiresRepublish", type: "boolean", value: ({ spec }) => spec?.requiresRepublish ?? false },
  { title: "Modes", value: ({ spec }) => orNone(spec?.volumeLifecycleModes?.join(",")) },
  age,
];

function* checkDriver({ spec }: CSIDriver): Findings {
  const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes = [], nodeAllocatableUpdatePeriodSeconds } = spec;
  yield* checkChoice("spec.fsGroupPolicy", fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]);
  yield* checkTokenRequests("spec.tokenRequests", tokenRequests);
  for (const mode of volumeLifecycleModes) {
    yield* checkChoice("spec.volumeLifecycleModes", mode, ["Persistent", "Ephemeral"]);
  }
  const period = nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10) {
    const message = "must be greater than or equal to 10 seconds";
    yield fieldError.invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, message);
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0) {
    const message = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
    yield fieldError.invalid("spec.serviceAccountTokenInSecrets", spec.serviceAccountTokenInSecrets, message);
  }
}

function* checkTokenRequests(field: string, requests: readonly TokenRequest[]): Findings {
  const audiences = new Set<string>();
  for (const [index, { audience = "", expirationSeconds: seconds }] of requests.entries()) {
    if (audiences.has(audience)) {
      yield fieldError.duplicate(`${field}[${index}].audience`, audience);
      continue;
    }
    audiences.add(audience);
    const path = `${field}[${index}].expirationSeconds`;
    if (seconds === undefined) continue;
    if (seconds < 600) yield fieldError.invalid(path, seconds, "may not specify a duration less than 10 minutes");
    if (seconds > 2 ** 32) {
      yield fieldError.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
}

function* checkUpdate({ spec }: CSIDriver, { spec: old }: CSIDriver): Findings {
  yield* checkImmutable("spec.attachedRequired", spec.attachRequired, old.attachRequired);
  yield* checkImmutable("spec.volumeLifecycleModes", spec.volumeLifecycleModes, old.volumeLifecycleModes);
}

/** `csidrivers.storage.k8s.io`. */
export const CSIDrivers = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  columns,
  defaults(driver) {
    if (!driver.spec) Reflect.set(driver, "spec", {});
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  validate: (driver) => [...checkDriver(driver)],
  validateUpdate: (driver, old) => [...checkUpdate(driver, old)],
});
