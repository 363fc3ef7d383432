import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../generated/types/core-v1.ts";
import type { KubeObject } from "../object.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { Endpoints } from "./core-v1/endpoints.ts";
import { Deployments, Events, Nodes, Pods, Secrets, Services, StorageClasses } from "./definitions.ts";
import { sampleDeployment, sampleMeta, sampleNode, samplePod, sampleSecret, sampleService } from "./sample-objects.ts";
import { tableColumns } from "./table-columns.ts";

const context = { nowMs: Date.parse("2026-01-02T03:09:05Z") };

const titles = <T extends KubeObject>(resource: ResourceDefinition<T>, wide: boolean) =>
  tableColumns(resource)
    .filter(({ priority = 0 }) => wide || priority === 0)
    .map(({ title }) => title.toUpperCase())
    .join(" ");

const row = <T extends KubeObject>(resource: ResourceDefinition<T>, object: T) =>
  tableColumns(resource).map((column) => column.value(object, context));

const headers: readonly (readonly [ResourceDefinition, string, string])[] = [
  [Pods, "NAME READY STATUS RESTARTS AGE", " IP NODE NOMINATED NODE READINESS GATES"],
  [Nodes, "NAME STATUS ROLES AGE VERSION", " INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"],
  [Services, "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE", " SELECTOR"],
  [Deployments, "NAME READY UP-TO-DATE AVAILABLE AGE", " CONTAINERS IMAGES SELECTOR"],
  [StorageClasses, "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE", ""],
];

for (const [resource, narrow, more] of headers) {
  test(`columns of ${resource.plural}`, () => {
    assert.equal(titles(resource, false), narrow);
    assert.equal(titles(resource, true), narrow + more);
  });
}

test("columns of events", () => {
  assert.equal(titles(Events, false), "LAST SEEN TYPE REASON OBJECT MESSAGE");
  assert.equal(titles(Events, true), "LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME");
});

test("a pod's row", () => {
  const pod = samplePod((it) => {
    it.spec.nodeName = "one";
    it.spec.readinessGates = [{ conditionType: "x.io/a" }, { conditionType: "x.io/b" }];
    it.status = {
      phase: "Running",
      podIP: "10.1.0.2",
      podIPs: [{ ip: "10.1.0.2" }],
      conditions: [{ type: "x.io/b", status: "True" }],
    };
  });
  assert.deepEqual(row(Pods, pod), ["web", "0/1", "Running", "0", "5m", "10.1.0.2", "one", "<none>", "1/2"]);
});

test("a node's row", () => {
  const node = sampleNode((it) => {
    it.metadata.labels = { "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "" };
    it.spec.unschedulable = true;
    it.status = {
      conditions: [{ type: "Ready", status: "Unknown" }],
      addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    };
  });
  assert.deepEqual(row(Nodes, node), [
    "one",
    "NotReady,SchedulingDisabled",
    "control-plane,worker",
    "5m",
    "",
    "10.0.0.1",
    "<none>",
    "<unknown>",
    "<unknown>",
    "<unknown>",
  ]);
});

test("a Service's row", () => {
  const service = sampleService(({ spec, status }) => {
    spec.type = "LoadBalancer";
    spec.ports = [
      { port: 80, nodePort: 30_080, name: "a" },
      { port: 53, protocol: "UDP", name: "b" },
    ];
    spec.selector = { b: "2", a: "1" };
    status.loadBalancer = { ingress: [] };
  });
  assert.deepEqual(row(Services, service), [
    "web",
    "LoadBalancer",
    "10.0.0.9",
    "<pending>",
    "80:30080/TCP,53/UDP",
    "5m",
    "a=1,b=2",
  ]);
});

test("a Deployment's row", () => {
  const deployment = sampleDeployment((it) => {
    it.spec.replicas = 3;
    it.status = { readyReplicas: 2, updatedReplicas: 1 };
  });
  assert.deepEqual(row(Deployments, deployment), ["web", "2/3", 1, 0, "5m", "web", "web:1", "app=web"]);
});

test("rows of a Secret and of Endpoints", () => {
  const secret = sampleSecret((it) => {
    it.data = { a: "" };
  });
  assert.deepEqual(row(Secrets, secret), ["keys", "Opaque", 1, "5m"]);
  const ip = (last: number) => ({ ip: `10.1.0.${last}` });
  const endpoints: Endpoints = {
    metadata: sampleMeta("web"),
    subsets: [{ addresses: [ip(1), ip(2)], ports: [{ port: 80 }, { port: 443 }] }],
  };
  assert.deepEqual(row(Endpoints, endpoints), ["web", "10.1.0.1:80,10.1.0.2:80,10.1.0.1:443 + 1 more...", "5m"]);
});

test("rows of events of both forms", () => {
  const event: Event = {
    metadata: sampleMeta("web.1"),
    involvedObject: { kind: "Pod", name: "web", fieldPath: "spec.containers{web}" },
    type: "Normal",
    reason: "Pulled",
    message: "done \n",
    source: { component: "kubelet", host: "one" },
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:09:00Z",
    count: 4,
  };
  const start = ["Normal", "Pulled", "pod/web", "spec.containers{web}", "kubelet, one", "done"];
  assert.deepEqual(row(Events, event), ["5s", ...start, "5m", 4, "web.1"]);
  const { firstTimestamp: _first, lastTimestamp: _last, count: _count, ...rest } = event;
  const newer = { ...rest, eventTime: "2026-01-02T03:08:05.000000Z" };
  assert.deepEqual(row(Events, newer), ["60s", ...start, "60s", 1, "web.1"]);
  const series = { count: 7, lastObservedTime: "2026-01-02T03:09:03.000000Z" };
  assert.deepEqual(row(Events, { ...newer, series }), ["2s", ...start, "60s", 7, "web.1"]);
});
