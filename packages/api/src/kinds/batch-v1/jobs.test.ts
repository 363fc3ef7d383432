import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy } from "@skiff/base";
import { created, foundOnCreate, testCreations, testStatusUpdates, testUpdates } from "../../fixtures/rule-tables.ts";
import type { CronJob, Job, JobStatus } from "../../generated/types/batch-v1.ts";
import { CronJobs, Jobs } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";

const pod = { restartPolicy: "Never", containers: [{ name: "main", image: "main:1" }] };
const job: Job = { metadata: sampleMeta("work"), spec: { template: { spec: pod } }, status: {} };
const uid = job.metadata.uid ?? "";

const indexed = (it: Job) => {
  it.spec.completionMode = "Indexed";
  it.spec.completions = 5;
  it.spec.parallelism = 5;
};

test("a new job is tied to its pods", () => {
  const { spec, metadata } = created(Jobs, job);
  assert.deepEqual(spec.selector, { matchLabels: { "batch.kubernetes.io/controller-uid": uid } });
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": "work",
    "controller-uid": uid,
    "job-name": "work",
  };
  assert.deepEqual(spec.template.metadata?.labels, labels);
  assert.deepEqual(metadata.labels, labels);
  const { template: _template, selector: _selector, ...rest } = spec;
  assert.deepEqual(rest, {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: "TerminatingOrFailed",
    manualSelector: false,
  });
});

testCreations(Jobs, job, [
  [
    "pods that never end",
    ({ spec }) => {
      spec.template = { spec: { containers: pod.containers } };
    },
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "labels of another job",
    ({ spec }) => {
      spec.template.metadata = { labels: { "job-name": "other" } };
    },
    `spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"${uid}","batch.kubernetes.io/job-name":"work","controller-uid":"${uid}","job-name":"other"}: must be 'work'`,
  ],
  [
    "a selector by hand that selects nothing",
    ({ spec }) => {
      spec.manualSelector = true;
    },
    "spec.selector: Required value",
    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
  ],
  [
    "numbers",
    ({ spec }) => {
      spec.parallelism = -1;
      spec.backoffLimitPerIndex = 1;
      spec.managedBy = "me";
    },
    "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
    "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
  ],
  [
    "too many indexes",
    (it) => {
      indexed(it);
      it.spec.completions = 100_001;
      it.spec.parallelism = 10_001;
      it.spec.backoffLimitPerIndex = 1;
    },
    "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
    "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index",
  ],
  [
    "an indexed job with a name too long for its pods",
    (it) => {
      indexed(it);
      it.metadata.name = "a".repeat(62);
    },
    `metadata.name: Invalid value: "${"a".repeat(62)}": will not able to create pod with invalid DNS label: ${"a".repeat(62)}-4`,
  ],
  [
    "a failure policy",
    ({ spec }) => {
      spec.podReplacementPolicy = "TerminatingOrFailed";
      spec.podFailurePolicy = {
        rules: [
          { action: "FailIndex", onExitCodes: { operator: "In", values: [3, 0, 3], containerName: "x" } },
          { action: "", onPodConditions: [{ type: "DisruptionTarget", status: "Maybe" }] },
          { action: "Ignore" },
        ],
      };
    },
    'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
    "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
    'spec.podFailurePolicy.rules[1].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
    'spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    "spec.podFailurePolicy.rules[2]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  [
    "a success policy",
    (it) => {
      indexed(it);
      it.spec.successPolicy = {
        rules: [{ succeededIndexes: "0-2,1" }, { succeededIndexes: "0,2-3", succeededCount: 4 }, {}],
      };
    },
    'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-2,1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1',
    "spec.successPolicy.rules[1].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)",
    "spec.successPolicy.rules[2]: Required value: at least one of succeededCount or succeededIndexes must be specified",
  ],
]);

testUpdates(Jobs, job, [
  [
    "what may change",
    ({ spec }) => {
      spec.parallelism = 4;
      spec.suspend = true;
      spec.ttlSecondsAfterFinished = 9;
    },
  ],
  [
    "completions and mode",
    (it) => {
      indexed(it);
      it.spec.parallelism = 4;
    },
    "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism",
    'spec.completionMode: Invalid value: "Indexed": field is immutable',
  ],
]);

const is = (type: string) => ({ type, status: "True" });

test("the template of a running job stays", () => {
  const old = created(Jobs, job);
  const next = created(Jobs, job);
  next.spec.template.spec = { ...pod, nodeSelector: { a: "b" } };
  const [finding, ...more] = Jobs.validateUpdate(next, old);
  assert.equal(finding?.field, "spec.template");
  assert.equal(finding?.detail, "field is immutable");
  assert.equal(more.length, 0);
});

test("the template of a suspended job stays while pods of it are active", () => {
  const old = created(Jobs, { ...job, spec: { ...job.spec, suspend: true } });
  const next = deepCopy(old);
  if (next.spec.template.spec) next.spec.template.spec.nodeSelector = { a: "b" };
  const findings = (status: JobStatus) => Jobs.validateUpdate(next, { ...old, status }).map(({ field }) => field);
  assert.deepEqual(findings({ active: 1, conditions: [is("Suspended")] }), ["spec.template"]);
  assert.deepEqual(findings({ conditions: [is("Suspended")] }), []);
});

const suspended: Job = { ...job, spec: { ...job.spec, suspend: true } };

testUpdates(Jobs, suspended, [
  [
    "where pods of a suspended job go and what they use",
    ({ spec: { template } }) => {
      if (!template.spec) return;
      template.spec.nodeSelector = { a: "b" };
      template.spec.tolerations = [{ operator: "Exists" }];
      template.spec.containers = [{ name: "main", image: "main:1", resources: { requests: { cpu: "1" } } }];
      template.metadata = { ...template.metadata, annotations: { a: "b" } };
    },
  ],
]);

const state = (status: JobStatus) => (it: Job) => {
  it.status = status;
};

testStatusUpdates(Jobs, job, [
  ["a job that runs", () => {}, state({ active: 1, ready: 0, startTime: "2026-01-02T03:04:05Z" })],
  [
    "a job that ends without a reason",
    () => {},
    state({ conditions: [is("Failed")], active: 1, ready: 2 }),
    "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
    "status.active: Invalid value: 1: active>0 is invalid for finished job",
    "status.startTime: Required value: startTime is required for finished job",
    "status.ready: Invalid value: 2: cannot set more ready pods than active",
  ],
  [
    "a job that ends before it begins",
    () => {},
    state({
      conditions: [is("SuccessCriteriaMet"), is("Complete")],
      startTime: "2026-01-02T03:04:05Z",
      completionTime: "2026-01-02T03:04:04Z",
    }),
    'status.completionTime: Invalid value: "2026-01-02T03:04:04Z": must be equal to or after `startTime`',
  ],
  [
    "counters that go back",
    state({ failed: 2, succeeded: 3, conditions: [is("FailureTarget")] }),
    state({ failed: 1, succeeded: 2 }),
    "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition",
    "status.failed: Invalid value: 1: cannot decrease the failed counter",
    "status.succeeded: Invalid value: 2: cannot decrease the succeeded counter",
  ],
  [
    "another beginning",
    state({ startTime: "2026-01-02T03:04:05Z" }),
    state({ startTime: "2026-01-02T03:04:06Z" }),
    'status.startTime: Invalid value: "2026-01-02T03:04:06Z": field is immutable for unsuspended job once set',
  ],
  [
    "another beginning of a job that goes on",
    state({ startTime: "2026-01-02T03:04:05Z", conditions: [is("Suspended")] }),
    state({ startTime: "2026-01-02T03:04:06Z", conditions: [{ type: "Suspended", status: "False" }] }),
  ],
  [
    "indexes in both lists",
    (it) => {
      indexed(it);
      it.spec.backoffLimitPerIndex = 1;
    },
    state({ completedIndexes: "0-2", failedIndexes: "2,4" }),
    'status.failedIndexes: Invalid value: "2,4": failedIndexes and completedIndexes overlap at index: 2',
  ],
]);

const cronJob: CronJob = {
  metadata: sampleMeta("tick"),
  spec: { schedule: "*/5 * * * ?", timeZone: "Europe/Berlin", jobTemplate: { spec: { template: { spec: pod } } } },
  status: {},
};

test("a CronJob's jobs get their defaults when they are made", () => {
  const { jobTemplate, ...rest } = created(CronJobs, cronJob).spec;
  assert.deepEqual(Object.keys(jobTemplate.spec ?? {}), ["template"]);
  assert.deepEqual(rest, {
    schedule: "*/5 * * * ?",
    timeZone: "Europe/Berlin",
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
});

testCreations(CronJobs, cronJob, [
  [
    "a zone in the schedule, none that there is",
    ({ spec }) => {
      spec.schedule = "TZ=UTC 0 * * * *";
      spec.timeZone = "Europe/Atlantis";
      spec.concurrencyPolicy = "Queue";
    },
    'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    'spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis',
    'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    "no schedule and a long name",
    ({ spec, metadata }) => {
      spec.schedule = "";
      spec.timeZone = "Local";
      metadata.name = "a".repeat(53);
    },
    "spec.schedule: Required value",
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    `metadata.name: Invalid value: "${"a".repeat(53)}": must be no more than 52 bytes`,
  ],
  [
    "a selector for its jobs",
    ({ spec }) => {
      spec.jobTemplate = { spec: { template: { spec: pod }, selector: {}, manualSelector: true } };
    },
    "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated",
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
  ],
]);

const zones = ["UTC", "Etc/UTC", "US/Pacific", "GMT0", "America/Argentina/Buenos_Aires"];
for (const timeZone of zones) {
  test(`time zone ${timeZone}`, () =>
    assert.deepEqual(foundOnCreate(CronJobs, { ...cronJob, spec: { ...cronJob.spec, timeZone } }), []));
}
for (const timeZone of ["utc2", "europe/berlin", "+01", "../etc", "Mars"]) {
  test(`no time zone: ${timeZone}`, () =>
    assert.deepEqual(foundOnCreate(CronJobs, { ...cronJob, spec: { ...cronJob.spec, timeZone } }), [
      `spec.timeZone: Invalid value: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`,
    ]));
}
