import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { Lease } from "../../generated/types/coordination-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";

const columns: readonly Column<Lease>[] = [
  {
    title: "Holder",
    description:
      "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.",
    value: ({ spec }) => spec?.holderIdentity ?? "",
  },
  age,
];

function* checkLease({ spec = {} }: Lease): Findings {
  const seconds = spec.leaseDurationSeconds;
  if (seconds !== undefined && seconds <= 0) {
    yield fieldError.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
  }
  yield* checkNonNegative("spec.leaseTransitions", spec.leaseTransitions);
  if (spec.strategy !== undefined && spec.strategy !== "OldestEmulationVersion" && !spec.strategy.includes("/")) {
    yield fieldError.notSupported("spec.strategy.strategy", spec.strategy, ["OldestEmulationVersion"]);
  }
  if (spec.preferredHolder && !spec.strategy) {
    yield fieldError.forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined");
  }
}

/** `leases.coordination.k8s.io`. */
export const Leases = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  columns,
  validate: (lease) => [...checkLease(lease)],
});
