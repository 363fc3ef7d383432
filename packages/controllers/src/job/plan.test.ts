import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Job, JobSpec, JobStatus, Pod } from "@skiff/api";
import { ago, meta, nowMs, type PodFacts, podNamed } from "../fixtures/objects.ts";
import { judgeFailure } from "./failure-policy.ts";
import { readIndexes, writeIndexes } from "./indexes.ts";
import { noBackoff, trackingFinalizer } from "./observed.ts";
import { planJob } from "./plan.ts";

function jobOf(spec: Partial<JobSpec> = {}, status: JobStatus = { startTime: ago(60) }): Job {
  const template = { metadata: { labels: { app: "job" } }, spec: { containers: [], restartPolicy: "Never" } };
  return {
    metadata: meta("job"),
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      podReplacementPolicy: "TerminatingOrFailed",
      template,
      ...spec,
    },
    status,
  };
}

const indexed = { completionMode: "Indexed", completions: 3, parallelism: 3 };

interface JobPodFacts extends PodFacts {
  readonly index?: number;
  readonly exit?: number;
  readonly counted?: boolean;
  readonly failures?: number;
  readonly endedAgo?: number;
}

let names = 0;
function pod(phase: string, facts: JobPodFacts = {}): Pod {
  const { index, exit = phase === "Failed" ? 1 : 0, counted = false, failures, endedAgo = 3600, ...rest } = facts;
  const made = podNamed(`p${names++}`, { phase, ...rest });
  if (!counted) made.metadata.finalizers = [trackingFinalizer];
  made.metadata.annotations = {
    ...(index !== undefined && { "batch.kubernetes.io/job-completion-index": String(index) }),
    ...(failures !== undefined && { "batch.kubernetes.io/job-index-failure-count": String(failures) }),
  };
  if (phase === "Failed" || phase === "Succeeded") {
    const terminated = { exitCode: exit, finishedAt: ago(endedAgo) };
    made.status.containerStatuses = [
      { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ];
  }
  return made;
}

const plan = (job: Job, pods: readonly Pod[] = [], backoff = noBackoff) => planJob({ job, pods, backoff, nowMs });
const settled = (job: Job, pods: readonly Pod[] = []) => {
  const made = plan(job, pods);
  return made.after({ created: made.create.length, removed: made.remove.length });
};
const conditions = (status: JobStatus) =>
  (status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

describe("which pods to make and delete", () => {
  const cases: readonly (readonly [string, Job, readonly Pod[], number | readonly number[], number])[] = [
    ["one", jobOf(), [], 1, 0],
    ["as many as may run at once", jobOf({ completions: 9, parallelism: 4 }), [pod("Running")], 3, 0],
    ["no more than are needed", jobOf({ completions: 3, parallelism: 9 }), [pod("Succeeded")], 2, 0],
    ["none while suspended", jobOf({ suspend: true }), [pod("Running")], 0, 1],
    [
      "a work queue runs dry",
      jobOf({ completions: undefined, parallelism: 3 }),
      [pod("Succeeded"), pod("Running")],
      0,
      0,
    ],
    [
      "fewer when parallelism shrinks",
      jobOf({ completions: 9, parallelism: 1 }),
      [pod("Running"), pod("Running")],
      0,
      1,
    ],
    ["a deleted pod is replaced at once", jobOf(), [pod("Running", { deleting: true })], 0, 0],
    ["or when it has ended", jobOf({ podReplacementPolicy: "Failed" }), [pod("Running", { deleting: true })], 0, 0],
    ["each index once", jobOf(indexed), [pod("Running", { index: 1 })], [0, 2], 0],
    ["not what has succeeded", jobOf(indexed, { startTime: ago(9), completedIndexes: "0-1" }), [], [2], 0],
    ["a second pod of an index goes", jobOf(indexed), [0, 1, 2, 2].map((index) => pod("Running", { index })), [], 1],
    ["an index beyond the end goes", jobOf(indexed), [0, 1, 2, 7].map((index) => pod("Running", { index })), [], 1],
    ["after a failure only when its time has come", jobOf(), [pod("Failed", { endedAgo: 3 })], 0, 0],
    ["then it goes on", jobOf(), [pod("Failed", { endedAgo: 11 })], 1, 0],
  ];
  for (const [name, job, pods, create, remove] of cases) {
    test(name, () => {
      const made = plan(job, pods);
      assert.deepEqual(typeof create === "number" ? made.create.length : made.create, create);
      assert.equal(made.remove.length, remove);
    });
  }

  test("waits grow with failures in a row, and a success forgets them", () => {
    const waited = (failures: number) =>
      plan(jobOf({ completions: 9 }), [pod("Failed", { endedAgo: 0 })], { failures, lastMs: 0 }).recheckMs;
    assert.deepEqual([0, 1, 2, 9].map(waited), [10_000, 20_000, 40_000, 600_000]);
    const ended = [pod("Failed", { endedAgo: 5 }), pod("Succeeded", { endedAgo: 2 })];
    assert.deepEqual(plan(jobOf({ completions: 9 }), ended, { failures: 5, lastMs: 1 }).backoff, noBackoff);
  });
});

describe("counting", () => {
  test("uids first, then counts", () => {
    const ended = pod("Succeeded");
    const made = plan(jobOf({ completions: 2 }), [ended]);
    assert.deepEqual(made.before?.uncountedTerminatedPods, { succeeded: [ended.metadata.uid] });
    assert.equal(made.before?.succeeded, undefined);
    assert.deepEqual(made.release, [ended]);
    const after = made.after({ created: 1, removed: 0 });
    assert.deepEqual([after.succeeded, after.uncountedTerminatedPods, after.active], [1, {}, 1]);
  });

  test("what was noted before a crash is counted once", () => {
    const ended = pod("Succeeded");
    const noted = { startTime: ago(9), uncountedTerminatedPods: { succeeded: [ended.metadata.uid], failed: ["gone"] } };
    const made = plan(jobOf({ completions: 5 }, noted), [ended]);
    assert.equal(made.before, undefined);
    const after = made.after({ created: 0, removed: 0 });
    assert.deepEqual([after.succeeded, after.failed], [1, 1]);
  });

  test("pods without the finalizer were counted already", () => {
    const after = settled(jobOf({ completions: 5 }, { startTime: ago(9), succeeded: 1 }), [
      pod("Succeeded", { counted: true }),
    ]);
    assert.equal(after.succeeded, 1);
  });

  test("ready and terminating are always told", () => {
    const { ready, terminating, active } = settled(jobOf());
    assert.deepEqual([ready, terminating, active], [0, 0, 1]);
  });
});

describe("the end", () => {
  test("first the target, when all is quiet the end", () => {
    const done = jobOf({}, { startTime: ago(60), succeeded: 1 });
    assert.deepEqual(conditions(settled(done, [pod("Running")])), ["SuccessCriteriaMet=True CompletionsReached"]);
    const status = settled(done);
    assert.deepEqual(conditions(status), [
      "SuccessCriteriaMet=True CompletionsReached",
      "Complete=True CompletionsReached",
    ]);
    assert.equal(status.completionTime, ago(0));
  });

  const failures: readonly (readonly [string, Job, readonly Pod[], string])[] = [
    ["too many failures", jobOf({ backoffLimit: 1 }, { startTime: ago(9), failed: 2 }), [], "BackoffLimitExceeded"],
    ["too long", jobOf({ activeDeadlineSeconds: 30 }), [], "DeadlineExceeded"],
    [
      "too many indexes",
      jobOf({ ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }, { startTime: ago(9), failedIndexes: "1" }),
      [],
      "MaxFailedIndexesExceeded",
    ],
    [
      "all over, some failed",
      jobOf(
        { ...indexed, backoffLimitPerIndex: 0 },
        { startTime: ago(9), completedIndexes: "0,2", failedIndexes: "1" },
      ),
      [],
      "FailedIndexes",
    ],
  ];
  for (const [name, job, pods, reason] of failures) {
    test(name, () =>
      assert.deepEqual(conditions(settled(job, pods)), [`FailureTarget=True ${reason}`, `Failed=True ${reason}`]),
    );
  }

  test("a policy that fails the job, one that ignores", () => {
    const onExitCodes = { operator: "In", values: [42] };
    const podFailurePolicy = {
      rules: [
        { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        { action: "FailJob", onExitCodes },
      ],
    };
    const job = jobOf({ podFailurePolicy, podReplacementPolicy: "Failed" });
    const failed = pod("Failed", { exit: 42 });
    assert.deepEqual(judgeFailure(podFailurePolicy, failed), {
      kind: "failJob",
      message: `Container c for pod default/${failed.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
    });
    const told = plan(job, [failed]);
    assert.deepEqual(conditions(told.before ?? {}), ["FailureTarget=True PodFailurePolicy"]);
    assert.deepEqual(conditions(settled(job, [failed])), [
      "FailureTarget=True PodFailurePolicy",
      "Failed=True PodFailurePolicy",
    ]);
    const disrupted = pod("Failed", { exit: 42 });
    disrupted.status.conditions = [{ type: "DisruptionTarget", status: "True" }];
    const made = plan(job, [disrupted]);
    assert.deepEqual([made.create.length, made.release.length, made.before], [1, 1, undefined]);
  });

  test("a policy that calls some indexes enough", () => {
    const successPolicy = { rules: [{ succeededIndexes: "0,2", succeededCount: 1 }] };
    const status = settled(jobOf({ ...indexed, successPolicy }, { startTime: ago(9), completedIndexes: "2" }));
    assert.deepEqual(conditions(status), ["SuccessCriteriaMet=True SuccessPolicy", "Complete=True SuccessPolicy"]);
  });
});

describe("limits for each index", () => {
  const job = jobOf({ ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });

  test("a failed pod stays until the next try is there", () => {
    const first = pod("Failed", { index: 0, failures: 0 });
    const made = plan(job, [first, pod("Running", { index: 1 })]);
    assert.deepEqual([made.create, made.release, made.before], [[0], [], undefined]);
    assert.equal(made.counted.lastFailures.get(0)?.counted, 1);
    const next = pod("Running", { index: 0, failures: 1 });
    assert.deepEqual(plan(job, [first, next, pod("Running", { index: 1 })]).release, [first]);
  });

  test("an index that failed too often is given up", () => {
    const status = settled(job, [pod("Failed", { index: 0, failures: 1 }), pod("Running", { index: 1 })]);
    assert.equal(status.failedIndexes, "0");
    assert.deepEqual(conditions(status), []);
  });
});

describe("whose pods are counted at the end", () => {
  const told = (job: Job, pods: readonly Pod[]) => {
    const made = plan(job, pods);
    const { failed = 0, succeeded = 0, completedIndexes } = made.after({ created: 0, removed: made.remove.length });
    return { released: made.release.length, removed: made.remove.length, failed, succeeded, completedIndexes };
  };

  test("a job that has failed counts those that still run, whatever it waits for otherwise", () => {
    const job = jobOf({ backoffLimit: 0, completions: 3, parallelism: 3, podReplacementPolicy: "Failed" });
    const all = { released: 3, removed: 2, failed: 3, succeeded: 0, completedIndexes: undefined };
    assert.deepEqual(told(job, [pod("Failed"), pod("Running"), pod("Running")]), all);
  });

  test("a failed pod that waited for its next try is counted when there will be none", () => {
    const job = jobOf({ ...indexed, backoffLimitPerIndex: 2, maxFailedIndexes: 0 });
    const pods = [pod("Failed", { index: 0, failures: 0 }), pod("Failed", { index: 1, failures: 2 })];
    const all = { released: 2, removed: 0, failed: 2, succeeded: 0, completedIndexes: undefined };
    assert.deepEqual(told(job, pods), all);
  });

  test("a job that has succeeded lets the others go uncounted", () => {
    const successPolicy = { rules: [{ succeededIndexes: "0" }] };
    const pods = [pod("Succeeded", { index: 0 }), pod("Running", { index: 1 }), pod("Failed", { index: 2 })];
    const all = { released: 3, removed: 1, failed: 1, succeeded: 1, completedIndexes: "0" };
    assert.deepEqual(told(jobOf({ ...indexed, successPolicy }), pods), all);
  });

  test("indexes that are none of the job's do not count, those that have succeeded need no uid", () => {
    const made = plan(jobOf(indexed), [pod("Failed", { index: 7 }), pod("Succeeded", { index: 1 }), pod("Failed")]);
    assert.deepEqual([made.release.length, made.before?.uncountedTerminatedPods], [3, {}]);
    assert.deepEqual([made.before?.completedIndexes, made.before?.succeeded], ["1", 1]);
  });
});

test("indexes as text", () => {
  for (const text of ["", "0", "1,3-5,7", "0,1"]) assert.equal(writeIndexes(readIndexes(text, 100)), text);
  assert.deepEqual([...readIndexes("1,3-5", 4)], [1, 3]);
  assert.deepEqual([...readIndexes("x", 4)], []);
});
