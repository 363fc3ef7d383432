import assert from "node:assert/strict";
import { test } from "node:test";
import { created, testCreations, testStatusUpdates, testUpdates } from "../../fixtures/rule-tables.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from "../../generated/types/storage-v1.ts";
import {
  CSIDrivers,
  CSINodes,
  CSIStorageCapacities,
  PriorityClasses,
  RuntimeClasses,
  StorageClasses,
  VolumeAttachments,
  VolumeAttributesClasses,
} from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { tableColumns } from "../table-columns.ts";

const { namespace: _namespace, ...metadata } = sampleMeta("fast");
const nowMs = Date.parse("2026-01-02T03:09:05Z");

const storageClass: StorageClass = { metadata, provisioner: "Example.com/Disk" };

testCreations(StorageClasses, storageClass, [
  [
    "choices",
    (it) => {
      it.provisioner = "";
      it.reclaimPolicy = "Recycle";
      it.volumeBindingMode = "Later";
      it.allowedTopologies = [
        { matchLabelExpressions: [{ key: "zone", values: [] }] },
        { matchLabelExpressions: [{ key: "zone", values: ["a", "a"] }] },
        { matchLabelExpressions: [{ key: "zone", values: ["a"] }] },
      ];
    },
    "provisioner: Required value",
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
    'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
    'allowedTopologies[1].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
    'allowedTopologies[2].matchLabelExpressions: Duplicate value: ""',
  ],
]);
testUpdates(StorageClasses, storageClass, [
  [
    "what volumes are made of",
    (it) => {
      it.provisioner = "other";
      it.parameters = { a: "b" };
      it.volumeBindingMode = "WaitForFirstConsumer";
    },
    "parameters: Forbidden: updates to parameters are forbidden.",
    "provisioner: Forbidden: updates to provisioner are forbidden.",
    'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
  ],
]);

const driver: CSIDriver = { metadata, spec: {} };

testCreations(CSIDrivers, driver, [
  [
    "tokens and modes",
    ({ spec }) => {
      spec.fsGroupPolicy = "Always";
      spec.tokenRequests = [{ audience: "" }, { audience: "" }, { audience: "a", expirationSeconds: 5 }];
      spec.volumeLifecycleModes = ["Brief"];
      spec.nodeAllocatableUpdatePeriodSeconds = 9;
    },
    'spec.fsGroupPolicy: Unsupported value: "Always": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    'spec.tokenRequests[1].audience: Duplicate value: ""',
    "spec.tokenRequests[2].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
    'spec.volumeLifecycleModes: Unsupported value: "Brief": supported values: "Persistent", "Ephemeral"',
    "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds",
  ],
]);
testUpdates(CSIDrivers, driver, [
  [
    "attachment",
    ({ spec }) => {
      spec.attachRequired = false;
      spec.podInfoOnMount = true;
    },
    "spec.attachedRequired: Invalid value: false: field is immutable",
  ],
]);

test("a driver's row", () => {
  const row = tableColumns(CSIDrivers).map((column) => column.value(created(CSIDrivers, driver), { nowMs }));
  assert.deepEqual(row, ["fast", true, false, false, "<unset>", false, "Persistent", "5m"]);
});

const node: CSINode = { metadata, spec: { drivers: [{ name: "disk.example", nodeID: "n1", topologyKeys: ["zone"] }] } };

testCreations(CSINodes, node, [
  [
    "drivers",
    ({ spec }) => {
      spec.drivers = [
        { name: "disk.example", nodeID: "", allocatable: { count: -1 }, topologyKeys: ["zone", "zone"] },
        { name: "disk.example", nodeID: "x".repeat(257) },
      ];
    },
    "spec.drivers[0].nodeID: Required value",
    "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
    'spec.drivers[0]: Duplicate value: "zone"',
    `spec.drivers[1].nodeID: Invalid value: "${"x".repeat(257)}": must be 256 characters or less`,
    'spec.drivers[1].name: Duplicate value: "disk.example"',
  ],
]);
testUpdates(CSINodes, node, [
  [
    "another id, another count",
    ({ spec }) => {
      spec.drivers = [{ name: "disk.example", nodeID: "n2", topologyKeys: ["zone"], allocatable: { count: 3 } }];
    },
    'spec.drivers: Invalid value: {"name":"disk.example","nodeID":"n2","topologyKeys":["zone"]}: field is immutable',
  ],
]);

const capacity: CSIStorageCapacity = { metadata: sampleMeta("c"), storageClassName: "fast" };

testCreations(CSIStorageCapacities, capacity, [
  [
    "less than nothing",
    (it) => {
      it.capacity = "-1";
    },
    'capacity: Invalid value: "-1": must be greater than or equal to 0',
  ],
]);
testUpdates(CSIStorageCapacities, capacity, [
  [
    "another class",
    (it) => {
      it.storageClassName = "slow";
      it.capacity = "1Gi";
    },
    'storageClassName: Invalid value: "slow": field is immutable',
  ],
]);

const attachment: VolumeAttachment = {
  metadata,
  spec: { attacher: "disk.example", nodeName: "n1", source: { persistentVolumeName: "pv" } },
  status: { attached: true },
};

test("an attachment comes to be unattached", () => {
  assert.deepEqual(created(VolumeAttachments, attachment).status, { attached: false });
});
testCreations(VolumeAttachments, attachment, [
  [
    "no source",
    ({ spec }) => {
      spec.source = {};
    },
    "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
  ],
  [
    "a volume inline",
    ({ spec }) => {
      spec.source = {
        inlineVolumeSpec: { capacity: { storage: "1" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/" } },
      };
    },
    "spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes",
    "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes",
  ],
]);
testUpdates(VolumeAttachments, attachment, [
  [
    "another node",
    ({ spec }) => {
      spec.nodeName = "n2";
    },
    'spec: Invalid value: {"attacher":"disk.example","nodeName":"n2","source":{"persistentVolumeName":"pv"}}: field is immutable',
  ],
]);
testStatusUpdates(VolumeAttachments, attachment, [
  [
    "a long message",
    () => {},
    ({ status }) => {
      status.attachError = { message: "x".repeat(1025), errorCode: -1 };
    },
    "status.attachError.message: Too long: may not be more than 262144 bytes",
    "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive",
  ],
]);

const attributes: VolumeAttributesClass = { metadata, driverName: "disk.example", parameters: { iops: "1" } };

testCreations(VolumeAttributesClasses, attributes, [
  [
    "nothing to say",
    (it) => {
      it.parameters = {};
    },
    "parameters: Required value: must contain at least one key/value pair",
  ],
]);
testUpdates(VolumeAttributesClasses, attributes, [
  [
    "other parameters",
    (it) => {
      it.parameters = { iops: "2" };
    },
    "parameters: Forbidden: updates to parameters are forbidden.",
  ],
]);

const priority: PriorityClass = { metadata, value: 5 };

testCreations(PriorityClasses, priority, [
  [
    "higher than users go",
    (it) => {
      it.value = 1_000_000_001;
      it.preemptionPolicy = "Sometimes";
    },
    "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    'preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
  ],
  [
    "a name of the system",
    (it) => {
      it.metadata.name = "system-mine";
    },
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ],
]);

const runtime: RuntimeClass = { metadata, handler: "kata" };

testCreations(RuntimeClasses, runtime, [
  [
    "what pods get of it",
    (it) => {
      it.overhead = { podFixed: { pods: "1" } };
      it.scheduling = { tolerations: [{ operator: "Exists" }, { operator: "Exists" }] };
    },
    'overhead.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
    'scheduling.tolerations[1]: Duplicate value: {"operator":"Exists"}',
  ],
]);
