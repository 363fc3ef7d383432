import { defineResource } from "../../define-resource.ts";
import type { Lease } from "../../generated/types/coordination-v1.ts";

/** `leases.coordination.k8s.io`. */
export const Leases = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
});
