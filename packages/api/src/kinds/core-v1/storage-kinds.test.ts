import assert from "node:assert/strict";
import { test } from "node:test";
import { created, testCreations, testStatusUpdates, testUpdates, testWarnings } from "../../fixtures/rule-tables.ts";
import type {
  LimitRange,
  PersistentVolume,
  PersistentVolumeClaim,
  ResourceQuota,
} from "../../generated/types/core-v1.ts";
import { LimitRanges, PersistentVolumeClaims, PersistentVolumes, ResourceQuotas } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";

const metadata = sampleMeta("data");
const { namespace: _namespace, ...clusterMeta } = metadata;

const volume: PersistentVolume = {
  metadata: clusterMeta,
  spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
  status: {},
};

testCreations(PersistentVolumes, volume, [
  [
    "nothing in it",
    ({ spec }) => {
      spec.capacity = {};
      spec.accessModes = [];
      delete spec.hostPath;
    },
    "spec.accessModes: Required value",
    "spec.capacity: Required value",
    'spec.capacity: Unsupported value: null: supported values: "storage"',
    "spec: Required value: must specify a volume type",
  ],
  [
    "two sources, modes that do not go together",
    ({ spec }) => {
      spec.accessModes = ["ReadWriteOncePod", "ReadWriteMany", "Any"];
      spec.capacity = { storage: "0" };
      spec.nfs = { server: "", path: "x" };
      spec.persistentVolumeReclaimPolicy = "Burn";
      spec.volumeMode = "Tape";
    },
    'spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
    'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
    'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
    "spec.nfs: Forbidden: may not specify more than 1 volume type",
    'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
  ],
  [
    "a local one anywhere",
    ({ spec }) => {
      delete spec.hostPath;
      spec.local = { path: "a/../b" };
      spec.volumeAttributesClassName = "fast";
    },
    "spec.local.path: Invalid value: \"a/../b\": must not contain '..'",
    "spec.nodeAffinity: Required value: Local volume requires node affinity",
    "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
  ],
  [
    "a driver's",
    ({ spec }) => {
      delete spec.hostPath;
      spec.csi = { driver: "a b", volumeHandle: "", nodePublishSecretRef: { name: "s" } };
    },
    "spec.csi.driver: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    "spec.csi.volumeHandle: Required value",
    "spec.csi.nodePublishSecretRef.namespace: Required value",
  ],
]);

test("a volume lies where it lies", () => {
  const old = created(PersistentVolumes, volume);
  const next = created(PersistentVolumes, { ...volume, spec: { ...volume.spec, hostPath: { path: "/other" } } });
  const [finding] = PersistentVolumes.validateUpdate(next, old);
  assert.equal(finding?.field, "spec.persistentvolumesource");
  assert.match(finding?.detail ?? "", /^spec\.persistentvolumesource is immutable after creation\n/);
});

testWarnings(PersistentVolumes, volume, [
  [
    "old ways",
    (it) => {
      it.metadata.annotations = { "volume.beta.kubernetes.io/mount-options": "ro" };
      delete it.spec.hostPath;
      it.spec.rbd = { image: "i", monitors: ["m"] };
    },
    'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
    "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
  ],
]);

const claim: PersistentVolumeClaim = {
  metadata,
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  status: {},
};

testCreations(PersistentVolumeClaims, claim, [
  [
    "nothing in it",
    (it) => {
      it.spec = {};
    },
    "spec.accessModes: Required value: at least 1 access mode is required",
    "spec.resources[storage]: Required value",
  ],
  [
    "where its data come from",
    ({ spec }) => {
      spec.dataSourceRef = { kind: "Backup", name: "" };
    },
    "spec.dataSource.name: Required value",
    "spec.dataSource: Invalid value: \"Backup\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    "spec.dataSourceRef.name: Required value",
    "spec.dataSourceRef: Invalid value: \"Backup\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
  ],
]);

testUpdates(PersistentVolumeClaims, claim, [
  [
    "it is bound and gets a class",
    ({ spec }) => {
      spec.volumeName = "pv";
      spec.storageClassName = "fast";
    },
  ],
]);

const bound = (storage: string): PersistentVolumeClaim => ({
  ...created(PersistentVolumeClaims, claim),
  spec: { ...created(PersistentVolumeClaims, claim).spec, resources: { requests: { storage } } },
  status: { phase: "Bound", capacity: { storage: "1Gi" } },
});

test("a bound claim grows, and shrinks down to what it has", () => {
  assert.deepEqual(PersistentVolumeClaims.validateUpdate(bound("3Gi"), bound("2Gi")), []);
  assert.deepEqual(PersistentVolumeClaims.validateUpdate(bound("2Gi"), bound("3Gi")), []);
  const [finding] = PersistentVolumeClaims.validateUpdate(bound("1Gi"), bound("3Gi"));
  assert.equal(finding?.detail, "field can not be less than status.capacity");
  const [other] = PersistentVolumeClaims.validateUpdate(
    { ...bound("1Gi"), spec: { ...bound("1Gi").spec, accessModes: ["ReadWriteMany"] } },
    bound("1Gi"),
  );
  assert.match(other?.detail ?? "", /^spec is immutable after creation except resources\.requests and /);
});

test("both fields for the source of data say the same", () => {
  const source = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "s" };
  const made = created(PersistentVolumeClaims, { ...claim, spec: { ...claim.spec, dataSource: source } });
  assert.deepEqual(made.spec.dataSourceRef, source);
  const other = { apiGroup: "example.com", kind: "Backup", name: "b" };
  const dropped = created(PersistentVolumeClaims, { ...claim, spec: { ...claim.spec, dataSource: other } });
  assert.deepEqual([dropped.spec.dataSource, dropped.spec.dataSourceRef], [undefined, undefined]);
});

testStatusUpdates(PersistentVolumeClaims, claim, [
  [
    "what is allocated",
    () => {},
    ({ status }) => {
      status.allocatedResources = { cpu: "1", storage: "-1" };
      status.allocatedResourceStatuses = { storage: "Soon" };
    },
    'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
    "status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity",
  ],
]);

const quota: ResourceQuota = { metadata, spec: { hard: { pods: "2", "count/jobs.batch": "3" } }, status: {} };

testCreations(ResourceQuotas, quota, [
  [
    "what nobody counts",
    ({ spec }) => {
      spec.hard = { storage: "1", pods: "1500m", cows: "1" };
    },
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
    'spec.hard[pods]: Invalid value: "1500m": must be an integer',
    'spec.hard[cows]: Invalid value: "cows": must be a standard resource type or fully qualified',
    'spec.hard[cows]: Invalid value: "cows": must be a standard resource for quota',
  ],
  [
    "scopes",
    ({ spec }) => {
      spec.hard = { services: "1" };
      spec.scopes = ["BestEffort", "NotBestEffort", "Mine"];
    },
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope applied to resource',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope applied to resource',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: conflicting scopes',
  ],
  [
    "a selector of scopes",
    ({ spec }) => {
      spec.hard = { pods: "1" };
      spec.scopeSelector = {
        matchExpressions: [
          { scopeName: "PriorityClass", operator: "In" },
          { scopeName: "Terminating", operator: "In", values: ["a"] },
        ],
      };
    },
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
  ],
]);

testUpdates(ResourceQuotas, quota, [
  [
    "another scope",
    ({ spec }) => {
      spec.hard = { pods: "1" };
      spec.scopes = ["Terminating"];
    },
    'spec.scopes: Invalid value: ["Terminating"]: field is immutable',
  ],
]);

const range: LimitRange = {
  metadata,
  spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { cpu: "100m" }, default: { cpu: "1" } }] },
};

testCreations(LimitRanges, range, [
  [
    "bounds out of order",
    (it) => {
      it.spec = {
        limits: [
          {
            type: "Container",
            max: { cpu: "1" },
            min: { cpu: "2" },
            default: { cpu: "3" },
            maxLimitRequestRatio: { cpu: "3" },
          },
          { type: "Container" },
          { type: "Pod", default: { cpu: "1" } },
          { type: "PersistentVolumeClaim" },
          { type: "Node" },
        ],
      };
    },
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    'spec.limits[0].defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 1',
    'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 0.500000',
    'spec.limits[1].type: Duplicate value: "Container"',
    "spec.limits[2].default: Forbidden: may not be specified when `type` is 'Pod'",
    "spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
    'spec.limits[4].type: Invalid value: "Node": must be a standard limit type or fully qualified',
  ],
]);
