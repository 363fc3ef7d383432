import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { IPAddress, ParentReference } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkCanonicalIP } from "../../validation/addresses.ts";
import { checkDnsSubdomain, checkImmutable, type Findings, invalidFor } from "../../validation/checks.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { age } from "../columns.ts";

function parentText({ spec }: IPAddress): string {
  if (!spec?.parentRef) return "<none>";
  const { group, resource = "", namespace, name = "" } = spec.parentRef;
  return [group ? `${resource}.${group}` : resource, ...(namespace ? [namespace] : []), name].join("/");
}

const columns: readonly Column<IPAddress>[] = [
  {
    title: "ParentRef",
    description: "ParentRef references the resource that an IPAddress is attached to.",
    value: parentText,
  },
  age,
];

function* checkParent(field: string, parent: ParentReference | undefined): Findings {
  if (parent === undefined) return yield fieldError.required(field);
  if (parent.group) yield* checkDnsSubdomain(`${field}.group`, parent.group);
  for (const name of ["resource", "name"] as const) {
    const value = parent[name];
    if (!value) yield fieldError.required(`${field}.${name}`);
    else yield* invalidFor(`${field}.${name}`, value, pathSegmentName(value, false));
  }
  const { namespace } = parent;
  if (namespace) yield* invalidFor(`${field}.namespace`, namespace, pathSegmentName(namespace, false));
}

/** `ipaddresses.networking.k8s.io`. */
export const IPAddresses = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  columns,
  // The name is the address.
  validateName: (name) => [...checkCanonicalIP("", name)].map(({ detail }) => detail),
  validate: ({ spec }, old) => (old === undefined ? [...checkParent("spec.parentRef", spec?.parentRef)] : []),
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec.parentRef", spec?.parentRef, old.spec?.parentRef)],
});
