import assert from "node:assert/strict";
import { test } from "node:test";
import { created, testCreations, testStatusUpdates, testUpdates } from "../../fixtures/rule-tables.ts";
import type { HorizontalPodAutoscaler } from "../../generated/types/autoscaling-v2.ts";
import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";
import { HorizontalPodAutoscalers, HorizontalPodAutoscalersV1, PodDisruptionBudgets } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { tableColumns } from "../table-columns.ts";

const metadata = sampleMeta("web");
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const autoscaler: HorizontalPodAutoscaler = {
  metadata,
  spec: { scaleTargetRef, maxReplicas: 3 },
  status: { desiredReplicas: 0 },
};

test("an autoscaler's defaults", () => {
  const target = { type: "Utilization", averageUtilization: 80 };
  assert.deepEqual(created(HorizontalPodAutoscalers, autoscaler).spec, {
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
  });
});

testCreations(HorizontalPodAutoscalers, autoscaler, [
  [
    "bounds",
    ({ spec }) => {
      spec.minReplicas = 0;
      spec.maxReplicas = -1;
      spec.scaleTargetRef = { kind: "", name: "a/b" };
    },
    "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
    "spec.maxReplicas: Invalid value: -1: must be greater than 0",
    "spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`",
    "spec.scaleTargetRef.kind: Required value",
    "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'",
    "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
  ],
  [
    "metrics without what they need",
    ({ spec }) => {
      spec.metrics = [
        { type: "Pods" },
        { type: "Resource", resource: { name: "", target: { type: "Utilization", averageUtilization: 0 } } },
        { type: "External", external: { metric: { name: "queue" }, target: { type: "Value", value: "0" } } },
      ];
    },
    "spec.metrics[0].pods: Required value: must populate information for the given metric source",
    "spec.metrics[1].resource.name: Required value: must specify a resource name",
    "spec.metrics[1].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
    'spec.metrics[2].external.target.value: Invalid value: "0": must be positive',
  ],
  [
    "two sources in one",
    ({ spec }) => {
      const target = { type: "AverageValue", averageValue: "1" };
      spec.metrics = [{ type: "Pods", pods: { metric: { name: "a" }, target }, resource: { name: "cpu", target } }];
    },
    "spec.metrics[0].resource: Forbidden: must populate the given metric source only",
  ],
  [
    "behavior",
    ({ spec }) => {
      const policies = [{ type: "Node", value: 0, periodSeconds: 1801 }];
      spec.behavior = { scaleUp: { stabilizationWindowSeconds: 3601, selectPolicy: "Any", policies, tolerance: "-1" } };
    },
    "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
    'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
    'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Node": supported values: "Percent", "Pods"',
    "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
    "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
    'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0',
  ],
]);

testStatusUpdates(HorizontalPodAutoscalers, autoscaler, [
  [
    "negative replicas",
    () => {},
    ({ status }) => {
      status.desiredReplicas = -1;
    },
    "status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0",
  ],
]);

test("what version 1 has no field for travels in annotations, in its own form", () => {
  const { storedAs } = HorizontalPodAutoscalersV1;
  assert(storedAs !== undefined);
  const pods = { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "5" } };
  const stored = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: {
      scaleTargetRef,
      maxReplicas: 3,
      metrics: [
        { type: "Pods", pods },
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
      ],
    },
    status: {
      currentReplicas: 1,
      desiredReplicas: 2,
      currentMetrics: [{ type: "Pods", pods: { metric: { name: "rps" }, current: { averageValue: "7" } } }],
    },
  };
  const view = storedAs.fromStored(stored);
  assert.deepEqual(view.spec, { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 70 });
  assert.deepEqual(view.metadata.annotations, {
    "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"5"}}]',
    "autoscaling.alpha.kubernetes.io/current-metrics":
      '[{"type":"Pods","pods":{"metricName":"rps","currentAverageValue":"7"}}]',
  });
  assert.deepEqual(storedAs.toStored(view), stored);
});

test("an autoscaler's row", () => {
  const target = { type: "AverageValue", averageValue: "500m" };
  const row: HorizontalPodAutoscaler = {
    metadata,
    spec: {
      scaleTargetRef,
      maxReplicas: 3,
      minReplicas: 1,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        { type: "External", external: { metric: { name: "queue" }, target } },
        { type: "Pods", pods: { metric: { name: "rps" }, target } },
      ],
    },
    status: {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 12 } } }],
    },
  };
  assert.deepEqual(
    tableColumns(HorizontalPodAutoscalers).map((column) =>
      column.value(row, { nowMs: Date.parse("2026-01-02T03:09:05Z") }),
    ),
    ["web", "Deployment/web", "cpu: 12%/80%, <unknown>/500m (avg) + 1 more...", "1", 3, 2, "5m"],
  );
});

const budget: PodDisruptionBudget = {
  metadata,
  spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
  status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
};

testCreations(PodDisruptionBudgets, budget, [
  [
    "both bounds",
    ({ spec }) => {
      spec.maxUnavailable = "120%";
      spec.unhealthyPodEvictionPolicy = "Never";
    },
    'spec: Invalid value: {"minAvailable":1,"selector":{"matchLabels":{"app":"web"}},"maxUnavailable":"120%","unhealthyPodEvictionPolicy":"Never"}: minAvailable and maxUnavailable cannot be both set',
    'spec.maxUnavailable: Invalid value: "120%": must not be greater than 100%',
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ],
]);
testUpdates(PodDisruptionBudgets, budget, [
  [
    "another bound and selector",
    ({ spec }) => {
      spec.minAvailable = "50%";
      spec.selector = {};
    },
  ],
]);
testStatusUpdates(PodDisruptionBudgets, budget, [
  [
    "conditions",
    () => {},
    ({ status }) => {
      const condition = { type: "A", status: "Yes", reason: "no good", message: "", lastTransitionTime: "" };
      status.conditions = [
        condition,
        { ...condition, status: "True", reason: "B", lastTransitionTime: "2026-01-02T03:04:05Z" },
      ];
      status.expectedPods = -1;
    },
    'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
    "status.conditions[0].lastTransitionTime: Required value: must be set",
    "status.conditions[0].reason: Invalid value: \"no good\": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
    'status.conditions[1].type: Duplicate value: "A"',
    "status.expectedPods: Invalid value: -1: must be greater than or equal to 0",
  ],
]);
