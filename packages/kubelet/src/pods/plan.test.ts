import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { containerOf, ended, podOf, runtimeContainer, sandboxOf } from "../fixtures/objects.ts";
import { type PlanInput, planPod } from "./plan.ts";

const input = (more: Partial<PlanInput>): PlanInput => ({
  pod: podOf(),
  view: { sandboxes: [sandboxOf()], containers: [] },
  starting: new Set(),
  stopping: new Set(),
  restarting: new Set(),
  sandboxBusy: false,
  backoffMs: () => 0,
  liveness: () => "unknown",
  startup: () => "success",
  ...more,
});

/** A plan in short: what is made, started, stopped, waited for. */
function short(given: Partial<PlanInput>) {
  const plan = planPod(input(given));
  return {
    ...(plan.createSandbox === undefined ? {} : { sandbox: plan.createSandbox }),
    ...(plan.start.length === 0 ? {} : { start: plan.start.map((one) => one.name) }),
    ...(plan.stop.length === 0
      ? {}
      : { stop: plan.stop.map(({ message, abrupt }) => (abrupt === true ? `at once: ${message}` : message)) }),
    ...(plan.backoff.length === 0 ? {} : { wait: plan.backoff.map((one) => one.container.name) }),
    ...(plan.removeAll ? { anew: true } : {}),
    ...(plan.finished ? { finished: true } : {}),
  };
}

const view = (...containers: PlanInput["view"]["containers"]) => ({ sandboxes: [sandboxOf()], containers });
const never = podOf({ restartPolicy: "Never" });
const onFailure = podOf({ restartPolicy: "OnFailure" });
const init = podOf({ initContainers: [containerOf("a"), containerOf("b")] });
const sidecar = podOf({ initContainers: [containerOf("side", { restartPolicy: "Always" }), containerOf("b")] });
const debugged = podOf({ initContainers: [containerOf("a")], ephemeralContainers: [{ name: "dbg", image: "i:1" }] });
const rulesOf = (action: string) => [{ action, exitCodes: { operator: "In", values: [42] } }];
const ruled = (action: string) =>
  podOf({ containers: [containerOf("main", { restartPolicy: "Never", restartPolicyRules: rulesOf(action) })] });
const ruledSidecar = podOf({
  restartPolicy: "Never",
  initContainers: [
    containerOf("side", { restartPolicy: "Always", restartPolicyRules: rulesOf("RestartAllContainers") }),
  ],
});
const dead = sandboxOf({ state: "notReady" });

const table: readonly (readonly [string, Partial<PlanInput>, object])[] = [
  ["a new pod gets a sandbox", { view: { sandboxes: [], containers: [] } }, { sandbox: 0 }],
  ["one at a time", { view: { sandboxes: [], containers: [] }, sandboxBusy: true }, {}],
  ["then its containers", {}, { start: ["main"] }],
  ["not twice", { starting: new Set(["main"]) }, {}],
  ["one that runs is left alone", { view: view(runtimeContainer("main")) }, {}],
  ["one that ended starts again", { view: view(ended("main", 0)) }, { start: ["main"] }],
  ["but not before its time", { view: view(ended("main", 1)), backoffMs: () => 5 }, { wait: ["main"] }],
  ["Never: the end is the end", { pod: never, view: view(ended("main", 1)) }, { finished: true }],
  ["OnFailure: success is the end", { pod: onFailure, view: view(ended("main", 0)) }, { finished: true }],
  [
    "OnFailure: nor is success of one that was stopped to start anew",
    { pod: onFailure, view: view(ended("main", 0)), restarting: new Set(["main-0"]) },
    { start: ["main"] },
  ],
  [
    "Never: the same",
    { pod: never, view: view(ended("main", 137)), restarting: new Set(["main-0"]) },
    { start: ["main"] },
  ],
  ["OnFailure: failure is not", { pod: onFailure, view: view(ended("main", 1)) }, { start: ["main"] }],
  [
    "created but never started is replaced",
    { view: view(runtimeContainer("main", { state: "created" })) },
    { start: ["main"] },
  ],
  ["a lost sandbox is replaced", { view: { sandboxes: [dead], containers: [ended("main", 137)] } }, { sandbox: 1 }],
  [
    "Never: not for what has ended",
    { pod: never, view: { sandboxes: [dead], containers: [ended("main", 0)] } },
    { finished: true },
  ],
  ["init containers come first", { pod: init }, { start: ["a"] }],
  ["one after the other", { pod: init, view: view(ended("a", 0)) }, { start: ["b"] }],
  ["and have to succeed", { pod: init, view: view(ended("a", 1)) }, { start: ["a"] }],
  ["then the others", { pod: init, view: view(ended("b", 0), ended("a", 0)) }, { start: ["main"] }],
  ["a running one is waited for", { pod: init, view: view(runtimeContainer("a")) }, {}],
  [
    "Never: a failed one is the end",
    { pod: podOf({ restartPolicy: "Never", initContainers: [containerOf("a")] }), view: view(ended("a", 1)) },
    { finished: true },
  ],
  [
    "init containers run anew in a new sandbox",
    { pod: init, view: view(ended("a", 0, { sandboxId: "old" })) },
    { start: ["a"] },
  ],
  ["a sidecar that runs lets others go on", { pod: sidecar, view: view(runtimeContainer("side")) }, { start: ["b"] }],
  [
    "not before it has started up",
    { pod: sidecar, view: view(runtimeContainer("side")), startup: () => "unknown" },
    {},
  ],
  [
    "a sidecar is restarted beside the others",
    { pod: sidecar, view: view(runtimeContainer("main"), ended("side", 0)) },
    { start: ["side"] },
  ],
  [
    "a failed liveness probe stops",
    { view: view(runtimeContainer("main")), liveness: () => "failure" },
    { stop: ["Container main failed liveness probe, will be restarted"] },
  ],
  ["once", { view: view(runtimeContainer("main")), liveness: () => "failure", stopping: new Set(["main-0"]) }, {}],
  [
    "a failed startup probe too",
    { view: view(runtimeContainer("main")), startup: () => "failure" },
    { stop: ["Container main failed startup probe, will be restarted"] },
  ],
  [
    "Never: a failed probe ends for good",
    { pod: never, view: view(runtimeContainer("main")), liveness: () => "failure" },
    { stop: ["Container main failed liveness probe"] },
  ],
  [
    "a sidecar that fails its probe is restarted",
    {
      pod: podOf({ restartPolicy: "Never", initContainers: [containerOf("side", { restartPolicy: "Always" })] }),
      view: view(runtimeContainer("main"), runtimeContainer("side")),
      liveness: (name) => (name === "side" ? "failure" : "unknown"),
    },
    { stop: ["Init container side failed liveness probe, will be restarted"] },
  ],
  [
    "who debugs does not wait for init containers",
    { pod: debugged, view: view(runtimeContainer("a")) },
    { start: ["dbg"] },
  ],
  ["nor comes back", { pod: debugged, view: view(ended("dbg", 0), runtimeContainer("a")) }, {}],
  [
    "a container's own policy is before the pod's",
    {
      pod: podOf({ restartPolicy: "Never", containers: [containerOf("main", { restartPolicy: "Always" })] }),
      view: view(ended("main", 0)),
    },
    { start: ["main"] },
  ],
  ["a rule is before the policy", { pod: ruled("Restart"), view: view(ended("main", 42)) }, { start: ["main"] }],
  [
    "a rule may restart all: first they end",
    { pod: ruled("RestartAllContainers"), view: view(ended("main", 42), runtimeContainer("other")) },
    { stop: ["at once: Stopping container other"] },
  ],
  [
    "each of them",
    {
      pod: ruled("RestartAllContainers"),
      view: view(ended("main", 42), runtimeContainer("other")),
      stopping: new Set(["other-0"]),
    },
    {},
  ],
  [
    "then all start anew",
    { pod: ruled("RestartAllContainers"), view: view(ended("main", 42), ended("other", 137)) },
    { anew: true },
  ],
  [
    "also when it is a sidecar's and all others have ended by then",
    { pod: ruledSidecar, view: view(ended("main", 137), ended("side", 42)) },
    { anew: true },
  ],
  ["for its exit codes only", { pod: ruled("Restart"), view: view(ended("main", 1)) }, { finished: true }],
  [
    "a changed image too",
    { pod: podOf({ containers: [containerOf("main", { image: "i:2" })] }), view: view(runtimeContainer("main")) },
    { stop: ["Container main definition changed, will be restarted"] },
  ],
];

describe("planPod", () => {
  for (const [name, given, expected] of table) it(name, () => assert.deepEqual(short(given), expected));
});
