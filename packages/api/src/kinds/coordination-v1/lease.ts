import { defineResource } from "../../define-resource.ts";
import type { Lease } from "../../generated/types/coordination-v1.ts";
import type { Column } from "../../resource-definition.ts";
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

/** `leases.coordination.k8s.io`. */
export const Leases = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  columns,
});
