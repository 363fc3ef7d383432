import assert from "node:assert/strict";
import { test } from "node:test";
import { testCreations, testStatusUpdates, testUpdates } from "../../fixtures/rule-tables.ts";
import type { ControllerRevision, DaemonSet, StatefulSet } from "../../generated/types/apps-v1.ts";
import type { PodTemplate, PodTemplateSpec, ReplicationController } from "../../generated/types/core-v1.ts";
import { ControllerRevisions, DaemonSets, PodTemplates, ReplicationControllers, StatefulSets } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { tableColumns } from "../table-columns.ts";

const template: PodTemplateSpec = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web:1" }] },
};
const selector = { matchLabels: { app: "web" } };
const metadata = sampleMeta("web");

const statefulSet: StatefulSet = {
  metadata,
  spec: {
    selector,
    serviceName: "web",
    // A claim that becomes a volume only in the pods.
    template: {
      ...template,
      spec: { containers: [{ name: "web", image: "web:1", volumeMounts: [{ name: "data", mountPath: "/data" }] }] },
    },
    volumeClaimTemplates: [
      { metadata: { ...metadata, name: "data" }, spec: { accessModes: ["ReadWriteOnce"] }, status: {} },
    ],
  },
  status: { replicas: 0 },
};

testCreations(StatefulSets, statefulSet, [
  ["no selector", ({ spec }) => Reflect.deleteProperty(spec, "selector"), "spec.selector: Required value"],
  [
    "strategies that there are not",
    ({ spec }) => {
      spec.podManagementPolicy = "Random";
      spec.updateStrategy = { type: "Sometimes" };
    },
    "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
    "spec.updateStrategy: Invalid value: {\"type\":\"Sometimes\"}: must be 'RollingUpdate' or 'OnDelete'",
  ],
  [
    "a rolling update without rolling",
    ({ spec }) => {
      spec.updateStrategy = { type: "OnDelete", rollingUpdate: { partition: 1 } };
    },
    "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'",
  ],
  [
    "negative numbers",
    ({ spec }) => {
      spec.updateStrategy = { rollingUpdate: { partition: -1, maxUnavailable: "0%" } };
      spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Keep" };
      spec.replicas = -1;
      spec.ordinals = { start: -1 };
      spec.serviceName = "a.b";
    },
    "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0',
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
    'spec.serviceName: Invalid value: "a.b": must not contain dots',
  ],
]);

testUpdates(StatefulSets, statefulSet, [
  [
    "what may change",
    ({ spec }) => {
      spec.replicas = 3;
      spec.minReadySeconds = 2;
      spec.updateStrategy = { type: "OnDelete" };
    },
  ],
]);

test("the name of a StatefulSet is a label", () => {
  assert.deepEqual(StatefulSets.validateName("a.b", false), ["must not contain dots"]);
});

test("a StatefulSet's other fields stay", () => {
  const changed = { ...statefulSet, spec: { ...statefulSet.spec, serviceName: "other" } };
  const [finding] = StatefulSets.validateUpdate(changed, statefulSet);
  assert.equal(finding?.field, "spec");
  assert.match(
    finding?.detail ?? "",
    /^updates to statefulset spec for .* are forbidden\.\nDifference causing the error:\n/,
  );
});

testStatusUpdates(StatefulSets, statefulSet, [
  [
    "counts that do not add up",
    ({ status }) => {
      status.collisionCount = 2;
    },
    (set) => {
      set.status = { replicas: 1, readyReplicas: 2, availableReplicas: 3, collisionCount: 1 };
    },
    "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
    "status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas",
    "status.availableReplicas: Invalid value: 3: cannot be greater than status.readyReplicas",
    "status.collisionCount: Invalid value: 1: cannot be decremented",
  ],
]);

const daemonSet: DaemonSet = {
  metadata,
  spec: { selector, template },
  status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
};

testCreations(DaemonSets, daemonSet, [
  [
    "a selector that selects all",
    ({ spec }) => {
      spec.selector = {};
    },
    "spec.selector: Invalid value: {}: empty selector is invalid for daemonset",
  ],
  [
    "no selector",
    ({ spec }) => Reflect.deleteProperty(spec, "selector"),
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ],
  [
    "surge and unavailability",
    ({ spec }) => {
      spec.updateStrategy = { rollingUpdate: { maxUnavailable: 1, maxSurge: "101%" } };
    },
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": must not be greater than 100%',
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": may not be set when maxUnavailable is non-zero',
  ],
  [
    "no way to roll",
    ({ spec }) => {
      spec.updateStrategy = { rollingUpdate: { maxUnavailable: 0 } };
    },
    "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
  ],
  [
    "a strategy that there is not",
    ({ spec }) => {
      spec.updateStrategy = { type: "Never" };
    },
    'spec.updateStrategy: Unsupported value: {"type":"Never"}: supported values: "RollingUpdate", "OnDelete"',
  ],
]);

testUpdates(DaemonSets, daemonSet, [
  [
    "another selector",
    ({ spec }) => {
      spec.selector = { matchLabels: { app: "web", tier: "a" } };
      spec.template.metadata = { labels: { app: "web", tier: "a" } };
    },
    'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable',
  ],
]);

testStatusUpdates(DaemonSets, daemonSet, [
  [
    "negative counts",
    () => {},
    ({ status }) => {
      status.numberReady = -1;
      status.numberAvailable = -2;
    },
    "status.numberReady: Invalid value: -1: must be greater than or equal to 0",
    "status.numberAvailable: Invalid value: -2: must be greater than or equal to 0",
  ],
]);

const controller: ReplicationController = { metadata, spec: { template }, status: { replicas: 0 } };

testCreations(ReplicationControllers, controller, [
  [
    "pods that it does not select",
    ({ spec }) => {
      if (spec) spec.selector = { app: "other" };
    },
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ],
  [
    "nothing selected",
    ({ spec }) => {
      if (spec) spec.template = { spec: template.spec };
    },
    "spec.selector: Required value",
  ],
]);

const revision: ControllerRevision = { metadata, revision: 1, data: { spec: {} } };

testCreations(ControllerRevisions, revision, [
  ["no data", (it) => Reflect.deleteProperty(it, "data"), "data: Required value: data is mandatory"],
  [
    "a negative number",
    (it) => {
      it.revision = -1;
    },
    "revision: Invalid value: -1: must be greater than or equal to 0",
  ],
]);
testUpdates(ControllerRevisions, revision, [
  [
    "other data",
    (it) => {
      it.data = { spec: { a: 1 } };
    },
    'data: Invalid value: {"spec":{"a":1}}: field is immutable',
  ],
]);

const podTemplate: PodTemplate = { metadata, template };

testCreations(PodTemplates, podTemplate, [
  [
    "an empty pod",
    (it) => {
      it.template = {};
    },
    "template.spec.containers: Required value",
  ],
]);

test("a pod template's row and generation", () => {
  const columns = tableColumns(PodTemplates);
  assert.deepEqual(
    columns.map(({ title }) => title),
    ["Name", "Containers", "Images", "Pod Labels"],
  );
  assert.deepEqual(
    columns.map((column) => column.value(podTemplate, { nowMs: 0 })),
    ["web", "web", "web:1", "app=web"],
  );
  assert.equal(PodTemplates.changesGeneration({ ...podTemplate, template: {} }, podTemplate), true);
});
