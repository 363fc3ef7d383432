import assert from "node:assert/strict";
import { test } from "node:test";
import { created, testCreations, testStatusUpdates, testUpdates } from "../../fixtures/rule-tables.ts";
import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from "../../generated/types/resource-v1.ts";
import { DeviceClasses, ResourceClaims, ResourceClaimTemplates, ResourceSlices } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { tableColumns } from "../table-columns.ts";

const metadata = sampleMeta("gpu");
const { namespace: _namespace, ...clusterMeta } = metadata;
const claim: ResourceClaim = {
  metadata,
  spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu.example.com" } }] } },
  status: {},
};

test("a claim asks for one device", () => {
  const { devices } = created(ResourceClaims, claim).spec;
  const exactly = { deviceClassName: "gpu.example.com", allocationMode: "ExactCount", count: 1 };
  assert.deepEqual(devices, { requests: [{ name: "gpu", exactly }] });
});

testCreations(ResourceClaims, claim, [
  [
    "requests",
    ({ spec }) => {
      spec.devices = {
        requests: [
          { name: "a" },
          { name: "a", exactly: { deviceClassName: "", allocationMode: "All", count: 2 } },
          {
            name: "b",
            firstAvailable: [
              { name: "x", deviceClassName: "c", tolerations: [{ effect: "Now" }], allocationMode: "Some" },
            ],
          },
        ],
        constraints: [{ requests: ["b/x", "b/y"], matchAttribute: "model" }, {}],
        config: [{ opaque: { driver: "", parameters: {} } }],
      };
    },
    "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
    "spec.devices.requests[1].exactly.deviceClassName: Required value",
    "spec.devices.requests[1].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
    'spec.devices.requests[2].firstAvailable[0].allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
    'spec.devices.requests[2].firstAvailable[0].tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    'spec.devices.requests[2].firstAvailable[0].tolerations[0].effect: Unsupported value: "Now": supported values: "NoExecute", "NoSchedule"',
    'spec.devices.requests[1]: Duplicate value: "a"',
    "spec.devices.constraints[0].requests[1]: Invalid value: \"b/y\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
    'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
    'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
    "spec.devices.config[0].opaque.driver: Required value",
  ],
]);
testUpdates(ResourceClaims, claim, [
  [
    "other devices",
    ({ spec }) => {
      spec.devices = {};
    },
    'spec: Invalid value: {"devices":{}}: field is immutable',
  ],
]);

const result = { request: "gpu", driver: "gpu.example.com", pool: "node/one", device: "g0" };
const allocation = { devices: { results: [result] } };

testStatusUpdates(ResourceClaims, claim, [
  [
    "allocated and reserved",
    () => {},
    ({ status }) => {
      status.allocation = allocation;
      status.reservedFor = [{ resource: "pods", name: "p", uid: "1" }];
      status.devices = [
        { driver: "gpu.example.com", pool: "node/one", device: "g0", networkData: { ips: ["10.0.0.1/8"] } },
      ];
    },
  ],
  [
    "reserved, but not allocated",
    () => {},
    ({ status }) => {
      status.reservedFor = [{ resource: "pods", name: "p", uid: "" }];
      status.devices = [{ driver: "gpu.example.com", pool: "a", device: "g1" }];
    },
    "status.reservedFor[0].uid: Required value",
    'status.devices[0]: Invalid value: "gpu.example.com/a/g1": must be an allocated device in the claim',
    "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
  ],
  [
    "allocated again",
    ({ status }) => {
      status.allocation = allocation;
    },
    ({ status }) => {
      status.allocation = { devices: { results: [] } };
    },
    'status.allocation: Invalid value: {"devices":{"results":[]}}: field is immutable',
  ],
]);

test("a claim's state", () => {
  const [, state] = tableColumns(ResourceClaims);
  const shown = (status: ResourceClaim["status"], deletionTimestamp?: string) =>
    state?.value(
      { ...claim, metadata: { ...metadata, ...(deletionTimestamp && { deletionTimestamp }) }, status },
      { nowMs: 0 },
    );
  assert.equal(shown({}), "pending");
  assert.equal(shown({ allocation, reservedFor: [{ resource: "pods", name: "p", uid: "1" }] }), "allocated,reserved");
  assert.equal(shown({}, "2026-01-02T03:04:05Z"), "deleted");
});

const template: ResourceClaimTemplate = { metadata, spec: { spec: claim.spec } };

testCreations(ResourceClaimTemplates, template, [
  [
    "metadata that a template cannot have",
    ({ spec }) => {
      spec.metadata = { name: "x", labels: { a: "b" } };
    },
    "spec.metadata.name: Forbidden: cannot be set",
  ],
]);

const deviceClass: DeviceClass = { metadata: clusterMeta, spec: { selectors: [{ cel: { expression: "true" } }] } };

testCreations(DeviceClasses, deviceClass, [
  [
    "selectors and a name",
    ({ spec }) => {
      spec.selectors = [{}, { cel: { expression: "x".repeat(10_241) } }];
      spec.extendedResourceName = "cpu";
    },
    "spec.selectors[0].cel: Required value",
    "spec.selectors[1].cel.expression: Too long: may not be more than 10240 bytes",
    'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
  ],
]);

const slice: ResourceSlice = {
  metadata: clusterMeta,
  spec: {
    driver: "gpu.example.com",
    nodeName: "one",
    pool: { name: "one", generation: 1, resourceSliceCount: 1 },
    devices: [{ name: "g0", attributes: { model: { string: "x" } }, capacity: { memory: { value: "1Gi" } } }],
  },
};

testCreations(ResourceSlices, slice, [
  [
    "nowhere, and devices without sense",
    ({ spec }) => {
      delete spec.nodeName;
      spec.pool.resourceSliceCount = 0;
      spec.devices = [
        { name: "g0", attributes: { "a b": {}, v: { version: "1" } }, taints: [{ key: "k", effect: "" }] },
        { name: "g0", nodeName: "one", capacity: { m: { value: "1", requestPolicy: {} } } },
      ];
    },
    "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
    "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
    "spec.devices[0].attributes[a b]: Invalid value: \"a b\": a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
    'spec.devices[0].attributes[a b]: Invalid value: "": exactly one value must be specified',
    'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
    "spec.devices[0].taints[0].effect: Required value",
    "spec.devices[1].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true",
    "spec.devices[1]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
    'spec.devices[1]: Duplicate value: "g0"',
  ],
  [
    "capacities in pieces",
    ({ spec }) => {
      const requestPolicy = { default: "3", validRange: { min: "2", max: "9", step: "2" } };
      spec.devices = [{ name: "g0", allowMultipleAllocations: true, capacity: { m: { value: "8", requestPolicy } } }];
    },
    'spec.devices[0].capacity[m].requestPolicy.validRange.max: Invalid value: "9": max is larger than capacity value: 8',
    'spec.devices[0].capacity[m].requestPolicy.validRange.step: Invalid value: "3": value is not a multiple of a given step (2) from (2)',
    'spec.devices[0].capacity[m].requestPolicy.validRange.step: Invalid value: "9": value is not a multiple of a given step (2) from (2)',
  ],
]);
testUpdates(ResourceSlices, slice, [
  [
    "another node",
    ({ spec }) => {
      spec.nodeName = "two";
    },
    'spec.nodeName: Invalid value: "two": field is immutable',
  ],
]);

test("a taint counts from when it was put there", () => {
  const tainted = {
    ...slice,
    spec: { ...slice.spec, devices: [{ name: "g0", taints: [{ key: "k", effect: "NoSchedule" }] }] },
  };
  assert.equal(created(ResourceSlices, tainted).spec.devices?.[0]?.taints?.[0]?.timeAdded, "2026-01-02T03:09:05Z");
});
