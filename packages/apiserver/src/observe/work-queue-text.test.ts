import assert from "node:assert/strict";
import { test } from "node:test";
import { workQueueText } from "./work-queue-text.ts";

test("queues are told of as Kubernetes' controllers tell of theirs", () => {
  assert.equal(workQueueText([]), "");
  const counts = [0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 1];
  const text = workQueueText([
    {
      name: "deployment",
      queued: 3,
      queue: {
        adds: 9,
        retries: 1,
        waited: { counts, sumSeconds: 2000.5 },
        worked: { counts, sumSeconds: 1 },
        unfinishedSeconds: 0.5,
        longestSeconds: 0.25,
      },
    },
  ]);
  for (const line of [
    'workqueue_adds_total{name="deployment"} 9',
    'workqueue_depth{name="deployment"} 3',
    'workqueue_retries_total{name="deployment"} 1',
    'workqueue_unfinished_work_seconds{name="deployment"} 0.5',
    'workqueue_longest_running_processor_seconds{name="deployment"} 0.25',
    'workqueue_queue_duration_seconds_bucket{name="deployment",le="0.001"} 2',
    'workqueue_queue_duration_seconds_bucket{name="deployment",le="1000"} 3',
    'workqueue_queue_duration_seconds_bucket{name="deployment",le="+Inf"} 4',
    'workqueue_queue_duration_seconds_sum{name="deployment"} 2000.5',
    'workqueue_work_duration_seconds_count{name="deployment"} 4',
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
});
