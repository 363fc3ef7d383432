import { type Container, type EnvVar, type Job, Jobs, type New, type Pod } from "@skiff/api";
import { podFromTemplate } from "../replica-set/pod-from-template.ts";
import type { IndexFailure } from "./count.ts";
import { indexKey } from "./indexes.ts";
import { failureCountKey, ignoredCountKey, trackingFinalizer } from "./observed.ts";

/** The pod that works for a job next, on an index where it has indexes. */
export function podOf(job: Job, index: number | undefined, failure: IndexFailure | undefined): New<Pod> {
  const { metadata, spec } = podFromTemplate(job.spec.template, Jobs, job);
  const finalizers = [...new Set([...(metadata.finalizers ?? []), trackingFinalizer])];
  if (index === undefined) return { metadata: { ...metadata, finalizers }, ...(spec === undefined ? {} : { spec }) };
  const { name } = job.metadata;
  const counts =
    job.spec.backoffLimitPerIndex === undefined
      ? {}
      : {
          [failureCountKey]: String(failure?.counted ?? 0),
          ...(failure !== undefined && failure.ignored > 0 ? { [ignoredCountKey]: String(failure.ignored) } : {}),
        };
  return {
    metadata: {
      ...metadata,
      generateName: `${name}-${index}-`,
      finalizers,
      labels: { ...metadata.labels, [indexKey]: String(index) },
      annotations: { ...metadata.annotations, [indexKey]: String(index), ...counts },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: (spec?.containers ?? []).map(withIndex),
      ...(spec?.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}

const indexVariable: EnvVar = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
};

const withIndex = (container: Container): Container =>
  container.env?.some(({ name }) => name === indexVariable.name) === true
    ? container
    : { ...container, env: [...(container.env ?? []), indexVariable] };
