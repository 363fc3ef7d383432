import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { APIService } from "../../generated/types/apiregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkRequired, type Findings, invalidFor } from "../../validation/checks.ts";
import { dns1035Label, dnsSubdomain, pathSegmentName } from "../../validation/names.ts";
import { age } from "../columns.ts";

function availableText({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}

const columns: readonly Column<APIService>[] = [
  {
    title: "Service",
    description: "The reference to the service that hosts this API endpoint.",
    value: ({ spec }) => (spec.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"),
  },
  { title: "Available", description: "Whether this service is available.", value: availableText },
  age,
];

function* checkService({ metadata, spec }: APIService): Findings {
  const { group = "", version = "", service, caBundle = "", insecureSkipTLSVerify = false } = spec;
  const name = `${version}.${group}`;
  if (metadata.name !== name && pathSegmentName(metadata.name, false).length === 0) {
    yield fieldError.invalid("metadata.name", metadata.name, `must be \`spec.version+"."+spec.group\`: "${name}"`);
  }
  if (group === "" && version !== "v1") {
    yield fieldError.required("spec.group", "only v1 may have an empty group and it better be legacy kube");
  }
  if (group !== "") yield* invalidFor("spec.group", group, dnsSubdomain(group));
  yield* invalidFor("spec.version", version, dns1035Label(version));
  const { groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const message = "must be positive and less than 20000";
    yield fieldError.invalid("spec.groupPriorityMinimum", groupPriorityMinimum, message);
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    yield fieldError.invalid("spec.versionPriority", versionPriority, "must be positive and less than 1000");
  }
  const trust = "spec.insecureSkipTLSVerify";
  if (!service) {
    if (caBundle !== "") {
      const size = `${Buffer.byteLength(caBundle, "base64")} bytes`;
      yield fieldError.invalid("spec.caBundle", size, "local APIServices may not have a caBundle");
    }
    if (insecureSkipTLSVerify) {
      yield fieldError.invalid(trust, true, "local APIServices may not have insecureSkipTLSVerify");
    }
    return;
  }
  yield* checkRequired("spec.service.namespace", service.namespace);
  yield* checkRequired("spec.service.name", service.name);
  if (insecureSkipTLSVerify && caBundle !== "") {
    yield fieldError.invalid(trust, true, "may not be true if caBundle is present");
  }
}

function* checkStatus({ status }: APIService): Findings {
  for (const [at, condition] of (status?.conditions ?? []).entries()) {
    if (!["True", "False", "Unknown"].includes(condition.status)) {
      const supported = ["False", "True", "Unknown"];
      yield fieldError.notSupported(`status.conditions[${at}].status`, condition.status, supported);
    }
  }
}

/** `apiservices.apiregistration.k8s.io`. */
export const APIServices = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  generation: "none",
  columns,
  validateName: pathSegmentName,
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
  validate: (service) => [...checkService(service)],
  validateStatusUpdate: (service) => [...checkStatus(service)],
});
