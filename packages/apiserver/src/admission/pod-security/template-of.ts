import type { KubeObject, PodTemplateSpec } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { Subject } from "./check.ts";

const isTemplate = (value: unknown): value is PodTemplateSpec => isJsonObject(value) && isJsonObject(value.spec);

const member = (value: unknown, field: string): unknown => (isJsonObject(value) ? value[field] : undefined);

/** The template of the pods that a workload makes: in its spec, in that of its jobs, or at its top. */
export function templateOf(object: KubeObject | undefined): Subject | undefined {
  const spec = member(object, "spec");
  const jobs = member(member(member(spec, "jobTemplate"), "spec"), "template");
  const template = [member(spec, "template"), jobs, member(object, "template")].find(isTemplate);
  return template?.spec === undefined ? undefined : { metadata: template.metadata, spec: template.spec };
}
