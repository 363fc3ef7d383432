import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInResources, servedResources, stabilityOf } from "./built-in.ts";
import { resourceFacts } from "./generated/resources.ts";
import { EventsV1, HorizontalPodAutoscalersV1 } from "./kinds/definitions.ts";
import { sampleMeta } from "./kinds/sample-objects.ts";
import type { DynamicObject } from "./object.ts";
import { apiVersionOf } from "./resource-definition.ts";

test("every published resource is declared once", () => {
  const places = builtInResources.map((resource) => `${apiVersionOf(resource)}/${resource.plural}`);
  assert.equal(new Set(places).size, resourceFacts.length);
});

test("every view leads to a resource that is stored as it is", () => {
  const views = builtInResources.filter(({ storedAs }) => storedAs !== undefined);
  assert.ok(views.length > 0);
  for (const { plural, storedAs } of views) {
    const stored = builtInResources.find(
      (other) =>
        other.group === storedAs?.group && other.version === storedAs.version && other.plural === storedAs.plural,
    );
    assert.equal(stored?.storedAs, undefined, plural);
    assert.ok(stored, plural);
  }
});

const placesServed = (config: Record<string, boolean>) =>
  new Set(servedResources(config).map((resource) => `${apiVersionOf(resource)}/${resource.plural}`));

test("what is served by default, and what switches change", () => {
  const usual = servedResources().filter(({ unpublished }) => unpublished !== true);
  assert.ok(usual.every(({ version }) => stabilityOf(version) === "ga"));
  const beta = placesServed({ "api/beta": true });
  assert.ok(beta.has("networking.k8s.io/v1beta1/servicecidrs"));
  assert.ok(!beta.has("admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicies"));
  const one = placesServed({ "api/all": false, "apps/v1": true, "apps/v1/daemonsets": false });
  assert.deepEqual([...one].sort(), [
    "apps/v1/controllerrevisions",
    "apps/v1/deployments",
    "apps/v1/replicasets",
    "apps/v1/statefulsets",
  ]);
});

test("an event reads the same in both forms", () => {
  const stored: DynamicObject = {
    apiVersion: "v1",
    kind: "Event",
    metadata: sampleMeta("web.1"),
    involvedObject: { kind: "Pod", name: "web" },
    message: "text",
    source: { component: "kubelet" },
    count: 2,
    firstTimestamp: "2026-01-02T03:04:05Z",
    reportingComponent: "kubelet",
    reason: "Pulled",
  };
  const seen = EventsV1.storedAs?.fromStored(stored);
  assert.deepEqual(seen, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: sampleMeta("web.1"),
    regarding: { kind: "Pod", name: "web" },
    note: "text",
    deprecatedSource: { component: "kubelet" },
    deprecatedCount: 2,
    deprecatedFirstTimestamp: "2026-01-02T03:04:05Z",
    reportingController: "kubelet",
    reason: "Pulled",
  });
  assert.deepEqual(seen && EventsV1.storedAs?.toStored(seen), stored);
});

test("an autoscaler loses nothing in its older form", () => {
  const memory = {
    type: "Resource",
    resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
  };
  const stored: DynamicObject = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...sampleMeta("web"), annotations: { a: "b" } },
    spec: {
      maxReplicas: 3,
      metrics: [
        memory,
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      ],
      behavior: { scaleUp: { selectPolicy: "Max" } },
    },
    status: { currentReplicas: 0, desiredReplicas: 0, currentMetrics: null },
  };
  const seen = HorizontalPodAutoscalersV1.storedAs?.fromStored(stored);
  assert.deepEqual(seen?.spec, { maxReplicas: 3, targetCPUUtilizationPercentage: 50 });
  assert.equal(
    seen?.metadata.annotations?.["autoscaling.alpha.kubernetes.io/metrics"],
    JSON.stringify([{ type: "Resource", resource: { name: "memory", targetAverageValue: "1Gi" } }]),
  );
  assert.deepEqual(seen && HorizontalPodAutoscalersV1.storedAs?.toStored(seen), stored);
});

test("a view shows what the stored kind shows", () => {
  const [, type, reason, about] = EventsV1.columns;
  const seen: DynamicObject = {
    metadata: sampleMeta("web.1"),
    regarding: { kind: "Pod", name: "web" },
    type: "Normal",
    reason: "Pulled",
  };
  assert.deepEqual(
    [type, reason, about].map((column) => column?.value(seen, { nowMs: 0 })),
    ["Normal", "Pulled", "pod/web"],
  );
  const paths = EventsV1.selectableFields.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  assert.equal(EventsV1.selectableFields.find(({ path }) => path === "regarding.name")?.value(seen), "web");
});
