import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfigMaps,
  Deployments,
  type DeviceClass,
  type DynamicResourceClaim,
  type KubeObject,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type QuotaSources,
  ResourceClaims,
  type ResourceDefinition,
  type ResourceQuota,
  type ResourceQuotaSpec,
  type Service,
  Services,
} from "@skiff/api";
import { quotaAction, quotaStatus } from "./plan.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");
const meta = (name: string) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
});

const quota = (spec: ResourceQuotaSpec): ResourceQuota => ({ metadata: meta("q"), spec, status: {} });

const pod = (name: string, more: Partial<Pod["spec"]> = {}, rest: Partial<Pod> = {}): Pod => ({
  metadata: meta(name),
  spec: {
    containers: [{ name: "a", resources: { requests: { cpu: "250m", memory: "64Mi" }, limits: { cpu: "1" } } }],
    ...more,
  },
  status: {},
  ...rest,
});

const service = (name: string, spec: Service["spec"]): Service => ({ metadata: meta(name), spec, status: {} });

const claim = (name: string, storage: string, storageClassName?: string): PersistentVolumeClaim => ({
  metadata: meta(name),
  spec: { resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) },
  status: {},
});

const nothing: QuotaSources = { deviceClasses: () => [], pod: () => undefined, resourceClaims: () => [] };

const used = (
  spec: ResourceQuotaSpec,
  resource: ResourceDefinition,
  objects: readonly KubeObject[],
  sources: QuotaSources = nothing,
) => quotaStatus(quota(spec), [{ resource, objects }], { nowMs, sources }).used;

const hard = (...names: string[]) => ({ hard: Object.fromEntries(names.map((name) => [name, "10"])) });

test("pods count with what they ask for until they have ended", () => {
  const ended = pod("ended", {}, { status: { phase: "Failed" } });
  const late = pod(
    "late",
    {},
    { metadata: { ...meta("late"), deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 } },
  );
  const leaving = pod(
    "leaving",
    {},
    { metadata: { ...meta("leaving"), deletionTimestamp: "2026-01-01T00:10:30Z", deletionGracePeriodSeconds: 30 } },
  );
  const all = [pod("a"), pod("b"), leaving, ended, late];
  assert.deepEqual(
    used(hard("pods", "count/pods", "cpu", "requests.cpu", "limits.cpu", "requests.memory"), Pods, all),
    {
      pods: "3",
      "count/pods": "5",
      cpu: "750m",
      "requests.cpu": "750m",
      "limits.cpu": "3",
      "requests.memory": "192Mi",
    },
  );
});

test("extended resources, huge pages and overhead count, too", () => {
  const container = {
    name: "a",
    resources: {
      requests: { "example.com/gpu": "2", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi" },
      limits: { "ephemeral-storage": "2Gi" },
    },
  };
  const one = pod("a", { containers: [container], overhead: { cpu: "100m" } });
  const names = [
    "requests.example.com/gpu",
    "requests.hugepages-2Mi",
    "hugepages-2Mi",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
    "requests.cpu",
  ];
  assert.deepEqual(used(hard(...names), Pods, [one]), {
    "requests.example.com/gpu": "2",
    "requests.hugepages-2Mi": "4Mi",
    "hugepages-2Mi": "4Mi",
    "requests.ephemeral-storage": "1Gi",
    "limits.ephemeral-storage": "2Gi",
    "requests.cpu": "100m",
  });
});

test("scopes choose among pods", () => {
  const none = { containers: [{ name: "a" }] };
  const term = { topologyKey: "zone", namespaces: ["other"] };
  const all = [
    pod("burstable"),
    pod("best-effort", none),
    pod("ending", { ...none, activeDeadlineSeconds: 5 }),
    pod("high", { ...none, priorityClassName: "high" }),
    pod("far", { ...none, affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
  ];
  const priority = (operator: string, ...values: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator, values }] },
  });
  const cases: readonly [Partial<ResourceQuotaSpec>, string][] = [
    [{ scopes: ["BestEffort"] }, "4"],
    [{ scopes: ["NotBestEffort"] }, "1"],
    [{ scopes: ["Terminating"] }, "1"],
    [{ scopes: ["NotTerminating"] }, "4"],
    [{ scopes: ["BestEffort", "NotTerminating"] }, "3"],
    [{ scopes: ["CrossNamespacePodAffinity"] }, "1"],
    [priority("In", "high"), "1"],
    [priority("NotIn", "high"), "4"],
    [priority("Exists"), "1"],
    [priority("DoesNotExist"), "4"],
  ];
  for (const [spec, count] of cases) {
    assert.deepEqual(used({ ...hard("pods"), ...spec }, Pods, all), { pods: count }, JSON.stringify(spec));
  }
});

test("services, claims and other objects", () => {
  const ports = [{ port: 80, nodePort: 30080 }, { port: 81 }];
  assert.deepEqual(
    used(hard("services", "services.nodeports", "services.loadbalancers"), Services, [
      service("plain", { ports }),
      service("node", { type: "NodePort", ports }),
      service("balanced", { type: "LoadBalancer", ports }),
      service("direct", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports }),
    ]),
    { services: "4", "services.nodeports": "5", "services.loadbalancers": "2" },
  );
  const gold = "gold.storageclass.storage.k8s.io/";
  assert.deepEqual(
    used(
      hard("persistentvolumeclaims", "requests.storage", `${gold}requests.storage`, `${gold}persistentvolumeclaims`),
      PersistentVolumeClaims,
      [claim("a", "1Gi"), claim("b", "2Gi", "gold"), claim("c", "500m")],
    ),
    {
      persistentvolumeclaims: "3",
      "requests.storage": "3221225473",
      [`${gold}requests.storage`]: "2Gi",
      [`${gold}persistentvolumeclaims`]: "1",
    },
  );
  const plain = { metadata: meta("a") };
  assert.deepEqual(used(hard("configmaps", "count/configmaps"), ConfigMaps, [plain]), {
    configmaps: "1",
    "count/configmaps": "1",
  });
  assert.deepEqual(used(hard("count/deployments.apps", "count/unknown"), Deployments, [plain]), {
    "count/deployments.apps": "1",
  });
});

test("claims of devices count by class, alternatives by the largest", () => {
  const request = (deviceClassName: string, more: object = {}) => ({
    name: "r",
    exactly: { deviceClassName, ...more },
  });
  const either = {
    name: "s",
    firstAvailable: [
      { name: "a", deviceClassName: "gpu", count: 2 },
      { name: "b", deviceClassName: "tpu", allocationMode: "All" },
      { name: "c", deviceClassName: "gpu", count: 3 },
    ],
  };
  const devices = { requests: [request("gpu"), request("gpu", { count: 4 }), either] };
  const gpu = "gpu.deviceclass.resource.k8s.io/devices";
  const tpu = "tpu.deviceclass.resource.k8s.io/devices";
  const claimed = { metadata: meta("c"), spec: { devices } };
  assert.deepEqual(used(hard(gpu, tpu, "count/resourceclaims.resource.k8s.io"), ResourceClaims, [claimed]), {
    [gpu]: "8",
    [tpu]: "32",
    "count/resourceclaims.resource.k8s.io": "1",
  });
});

test("devices by claim count as the resources that their class is, less what the pod of the claim counts for", () => {
  const byName = "requests.example.com/gpu";
  const byClass = "requests.deviceclass.resource.kubernetes.io/gpu";
  const gpus: DeviceClass = { metadata: meta("gpu"), spec: { extendedResourceName: "example.com/gpu" } };
  const plain: DeviceClass = { metadata: meta("gpu"), spec: {} };
  const asking = pod("p", { containers: [{ name: "a", resources: { requests: { "example.com/gpu": "2" } } }] });
  const claimOf = (name: string, owner?: string, createdAt = meta(name).creationTimestamp): DynamicResourceClaim => ({
    metadata: {
      ...meta(name),
      creationTimestamp: createdAt,
      ...(owner !== undefined && {
        annotations: { "resource.kubernetes.io/extended-resource-claim": "true" },
        ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: owner, uid: owner, controller: true }],
      }),
    },
    spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu", count: 2 } }] } },
    status: {},
  });
  const mine = claimOf("c", "p");
  const earlier = claimOf("earlier", "p", "2025-01-01T00:00:00Z");
  const told = (resourceClaimName: string): Pod => ({
    ...asking,
    status: { extendedResourceClaimStatus: { requestMappings: [], resourceClaimName } },
  });
  const counted = (
    claim: DynamicResourceClaim,
    of: Pod | undefined,
    others: DynamicResourceClaim[] = [],
    classes = [gpus],
  ) =>
    used(hard(byName, byClass), ResourceClaims, [claim], {
      deviceClasses: () => classes,
      pod: ({ name }) => (name === of?.metadata.name ? of : undefined),
      resourceClaims: () => [claim, ...others],
    });
  const whole = { [byName]: "2", [byClass]: "2" };
  const less = { [byName]: "0", [byClass]: "2" };
  assert.deepEqual(counted(claimOf("c"), asking), whole, "a claim of a user's");
  assert.deepEqual(counted(mine, asking), less, "the pod's own");
  assert.deepEqual(counted(mine, told("c")), less, "one that the pod tells of");
  assert.deepEqual(counted(mine, told("other")), whole, "another than the pod tells of");
  assert.deepEqual(counted(mine, asking, [earlier]), whole, "a second one");
  assert.deepEqual(counted(mine, undefined), whole, "one whose pod is gone");
  assert.deepEqual(counted(mine, asking, [], [plain]), {}, "a class that is no resource by another name");
  assert.deepEqual(used(hard(byName, byClass), Pods, [asking]), { [byName]: "2", [byClass]: "0" });
});

test("a status is lowered only when it is known that something went", () => {
  const wanted = { hard: { pods: "5" }, used: { pods: "1" } };
  const cases: readonly [ResourceQuota["status"], boolean, boolean, string][] = [
    [{}, false, false, "write"],
    [{ hard: { pods: "4" }, used: { pods: "1" } }, false, false, "write"],
    [{ hard: { pods: "5" }, used: { pods: "1" } }, false, false, "nothing"],
    [{ hard: { pods: "5" }, used: { pods: "0" } }, false, false, "write"],
    [{ hard: { pods: "5" }, used: { pods: "2" } }, false, false, "wait"],
    [{ hard: { pods: "5" }, used: { pods: "2" } }, true, false, "write"],
    [{ hard: { pods: "5" }, used: { pods: "2" } }, false, true, "write"],
  ];
  for (const [status, released, quiet, expected] of cases) {
    assert.equal(quotaAction(status, wanted, { released, quiet }), expected, JSON.stringify(status));
  }
});
