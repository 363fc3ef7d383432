import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Deployments,
  type KubeObject,
  type Pod,
  PodDisruptionBudgets,
  Pods,
  ReplicationControllers,
  StatusError,
} from "@skiff/api";
import { type JsonObject, VirtualClock } from "@skiff/base";
import type { ApiVerb, SubresourceHandler } from "../contracts.ts";
import { fakeExchange } from "../fixtures/fake-exchange.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { alice, namespacedMeta, writeContext } from "../fixtures/objects.ts";
import { bindings, podBinding } from "./binding.ts";
import { podEviction } from "./eviction.ts";
import { scales } from "./scale.ts";

const pod = (name: string, rest: object = {}, labels: Record<string, string> = {}): Pod => ({
  metadata: { ...namespacedMeta(name), labels },
  spec: { containers: [{ name: "a" }], ...rest },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});

function call(handler: SubresourceHandler | undefined, name: string, body: JsonObject, verb: ApiVerb = "create") {
  assert(handler?.handleObject !== undefined);
  return handler.handleObject({ verb, ref: { namespace: "default", name }, body, context: writeContext });
}

const refusal = async (asked: Promise<unknown>): Promise<StatusError> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof StatusError, "it is not refused");
  return error;
};

test("binding", async () => {
  const clock = new VirtualClock();
  const table = fakeTable([
    [
      Pods,
      [pod("free"), pod("other"), pod("bound", { nodeName: "n9" }), pod("gated", { schedulingGates: [{ name: "g" }] })],
    ],
  ]);
  const handler = podBinding(table, clock);
  const target = { kind: "Node", name: "n1" };
  const answer = await call(handler, "free", { target, metadata: { name: "free", annotations: { a: "b" } } });
  assert.equal(answer.status, "Success");
  const bound = table.of(Pods).peek({ namespace: "default", name: "free" });
  assert.equal(bound?.spec?.nodeName, "n1");
  assert.deepEqual(bound?.metadata.annotations, { a: "b" });
  assert.deepEqual(bound?.status?.conditions?.at(-1), {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  await call(bindings(table, clock), "", { target, metadata: { name: "other" } });
  assert.equal(table.of(Pods).peek({ namespace: "default", name: "other" })?.spec?.nodeName, "n1");
  const cases: readonly (readonly [string, JsonObject, number, RegExp])[] = [
    [
      "bound",
      { target },
      409,
      /^Operation cannot be fulfilled on pods\/binding "bound": pod bound is already assigned to node "n9"$/,
    ],
    ["gated", { target }, 409, /pod gated has non-empty \.spec\.schedulingGates$/],
    ["bound", { target: { kind: "Node" } }, 400, /target\.name: Required value$/],
    ["bound", { target, metadata: { uid: "old" } }, 409, /UID in precondition: old/],
  ];
  for (const [name, body, code, message] of cases) {
    const error = await refusal(call(handler, name, body));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
});

test("eviction", async () => {
  const budget = (disruptionsAllowed: number) => ({
    metadata: { ...namespacedMeta("guard"), generation: 1 },
    spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
    status: { observedGeneration: 1, disruptionsAllowed, currentHealthy: 2, desiredHealthy: 2, expectedPods: 2 },
  });
  const web = { app: "web" };
  const table = (allowed: number) =>
    fakeTable([
      [Pods, [pod("web", {}, web), pod("other")]],
      [PodDisruptionBudgets, [budget(allowed)]],
    ]);
  const none = table(0);
  const error = await refusal(call(podEviction(none, new VirtualClock()), "web", {}));
  assert.deepEqual([error.code, error.reason], [429, "TooManyRequests"]);
  assert.equal(error.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  assert.deepEqual(error.status.details?.causes, [
    { reason: "DisruptionBudget", message: "The disruption budget guard needs 2 healthy pods and has 2 currently" },
  ]);
  await call(podEviction(none, new VirtualClock()), "other", {});
  assert.equal(none.of(Pods).peek({ namespace: "default", name: "other" }), undefined);
  const one = table(1);
  assert.equal((await call(podEviction(one, new VirtualClock()), "web", {})).status, "Success");
  const spent = one.of(PodDisruptionBudgets).peek({ namespace: "default", name: "guard" });
  assert.equal(spent?.status.disruptionsAllowed, 0);
  assert.deepEqual(spent?.status.disruptedPods, { web: "2026-01-01T00:00:00Z" });
});

test("scale", async () => {
  const template = { spec: { containers: [] } };
  const deployment = {
    metadata: namespacedMeta("web"),
    spec: { replicas: 3, selector: { matchLabels: { app: "web" } }, template },
    status: { replicas: 2 },
  };
  const controller = { metadata: namespacedMeta("rc"), spec: { replicas: 1, selector: { app: "rc" } }, status: {} };
  const table = fakeTable([
    [Deployments, [deployment]],
    [ReplicationControllers, [controller]],
  ]);
  const handlers = scales(table, new VirtualClock());
  const web = handlers.get("deployments.apps/scale");
  const shown = await call(web, "web", {}, "get");
  assert.deepEqual([shown.spec, shown.status], [{ replicas: 3 }, { replicas: 2, selector: "app=web" }]);
  assert.deepEqual((await call(handlers.get("replicationcontrollers/scale"), "rc", {}, "get")).status, {
    replicas: 0,
    selector: "app=rc",
  });
  const scaled = await call(web, "web", { spec: { replicas: 10 } }, "update");
  assert.deepEqual(scaled.spec, { replicas: 10 });
  assert.deepEqual((await call(web, "web", { spec: { replicas: 4 } }, "patch")).spec, { replicas: 4 });
  const stored: KubeObject | undefined = table.of(Deployments).peek({ namespace: "default", name: "web" });
  assert.equal(stored === undefined ? 0 : Reflect.get(Reflect.get(stored, "spec"), "replicas"), 4);
  const { exchange, answered } = fakeExchange({
    method: "PATCH",
    url: "/apis/apps/v1/namespaces/default/deployments/web/scale",
    headers: { "content-type": "application/json-patch+json" },
    body: [{ op: "replace", path: "/spec/replicas", value: 7 }],
  });
  const place = {
    group: "apps",
    version: "v1",
    plural: "deployments",
    namespace: "default",
    name: "web",
    subresource: "scale",
  };
  await web?.handle(exchange, { kind: "resource", verb: "patch", ...place }, alice);
  assert.equal(answered.status, 200);
  assert.match(answered.body, /"spec":\{"replicas":7\}/);
  const stale = await refusal(
    call(web, "web", { metadata: { resourceVersion: "0815" }, spec: { replicas: 1 } }, "update"),
  );
  assert.deepEqual([stale.code, stale.reason], [409, "Conflict"]);
  const negative = await refusal(call(web, "web", { spec: { replicas: -1 } }, "update"));
  assert.equal(
    negative.message,
    'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
});
