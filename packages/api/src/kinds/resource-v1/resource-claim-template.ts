import { defineResource } from "../../define-resource.ts";
import type { ResourceClaimTemplate } from "../../generated/types/resource-v1.ts";
import { checkImmutable, type Findings } from "../../validation/checks.ts";
import { checkTemplateMeta } from "../../validation/object-meta.ts";
import { age } from "../columns.ts";
import { checkDeviceClaim } from "./device-claim-validation.ts";
import { defaultDeviceClaim } from "./resource-claim.ts";

function* checkTemplate({ spec }: ResourceClaimTemplate): Findings {
  yield* checkTemplateMeta("spec.metadata", spec.metadata);
  yield* checkDeviceClaim("spec.spec.devices", spec.spec.devices);
}

/** `resourceclaimtemplates.resource.k8s.io`. */
export const ResourceClaimTemplates = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  columns: [age],
  defaults(template) {
    if (!template.spec) Reflect.set(template, "spec", {});
    if (!template.spec.spec) Reflect.set(template.spec, "spec", {});
    template.spec.metadata ??= {};
    template.spec.spec.devices ??= {};
    defaultDeviceClaim(template.spec.spec.devices);
  },
  validate: (template, old) => (old === undefined ? [...checkTemplate(template)] : []),
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec", spec, old.spec)],
});
