import assert from "node:assert/strict";
import test from "node:test";
import { deepCopy, type JsonObject } from "@skiff/base";
import { servedResources } from "../../built-in.ts";
import type { DynamicObject } from "../../object.ts";
import { apiVersionOf, type ResourceDefinition } from "../../resource-definition.ts";
import { findDefinitionSchema } from "../../schema/definition-schema.ts";

const served = servedResources();

function find(apiVersion: string, kind: string): ResourceDefinition {
  const found = served.find((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
  assert.ok(found, `${apiVersion} ${kind}`);
  return found;
}

const meta = { name: "web", uid: "", resourceVersion: "", creationTimestamp: "" };
const object = (apiVersion: string, kind: string, content: JsonObject): DynamicObject => ({
  apiVersion,
  kind,
  metadata: { ...meta },
  ...content,
});

/** The object as it is stored once its defaults are filled in. */
function stored(object: DynamicObject): DynamicObject {
  const resource = find(object.apiVersion ?? "", object.kind ?? "");
  resource.defaults(object);
  assert.ok(resource.storedAs);
  const made = resource.storedAs.toStored(object);
  assert.ok(!(made instanceof Promise));
  return made;
}

/** What reading it in its own version then gives. */
function readBack(object: DynamicObject): DynamicObject {
  const resource = find(object.apiVersion ?? "", object.kind ?? "");
  assert.ok(resource.storedAs);
  const made = resource.storedAs.toStored(object);
  assert.ok(!(made instanceof Promise));
  return resource.storedAs.fromStored(made);
}

test("every removed version has a schema, a warning, and something of today that it is a view of", () => {
  const removed = served.filter(({ unpublished }) => unpublished === true);
  assert.ok(removed.length > 30);
  for (const resource of removed) {
    const name = `${apiVersionOf(resource)} ${resource.kind}`;
    assert.match(
      resource.deprecationWarning ?? "",
      /^\S+ \S+ is deprecated in v1\.\d+\+, unavailable in v1\.\d+\+; use /,
      name,
    );
    assert.ok(findDefinitionSchema(resource.schema), name);
    const { storedAs } = resource;
    const today = served.find(
      (one) => one.group === storedAs?.group && one.version === storedAs.version && one.plural === storedAs.plural,
    );
    assert.ok(today?.storedAs === undefined && today?.unpublished !== true, name);
    assert.deepEqual([...resource.shortNames, ...resource.categories], [], name);
  }
});

test("warnings name what to write today", () => {
  assert.equal(
    find("extensions/v1beta1", "Ingress").deprecationWarning,
    "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress",
  );
  assert.equal(
    find("batch/v1beta1", "CronJob").deprecationWarning,
    "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob",
  );
});

test("an old version can be switched off by name", () => {
  const left = servedResources({ "extensions/v1beta1": false });
  assert.equal(
    left.some(({ group }) => group === "extensions"),
    false,
  );
  assert.ok(left.some(({ group, version }) => group === "apps" && version === "v1beta2"));
});

test("ingresses", () => {
  const spec = {
    backend: { serviceName: "fallback", servicePort: "http" },
    rules: [{ host: "a.test", http: { paths: [{ path: "/x", backend: { serviceName: "web", servicePort: 80 } }] } }],
  };
  for (const apiVersion of ["extensions/v1beta1", "networking.k8s.io/v1beta1"]) {
    const ingress = object(apiVersion, "Ingress", { spec: deepCopy(spec) });
    assert.deepEqual(stored(ingress), {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta,
      status: {},
      spec: {
        defaultBackend: { service: { name: "fallback", port: { name: "http" } } },
        rules: [
          {
            host: "a.test",
            http: {
              paths: [
                {
                  path: "/x",
                  pathType: "ImplementationSpecific",
                  backend: { service: { name: "web", port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
    });
    assert.deepEqual(readBack(ingress), ingress);
    assert.equal(ingress.apiVersion, apiVersion);
  }
});

const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web" }] } };

test("workloads select by their template's labels where they say nothing else", () => {
  const deployment = object("extensions/v1beta1", "Deployment", { spec: { template, rollbackTo: { revision: 1 } } });
  const { metadata } = deployment;
  const { spec } = stored(deployment);
  assert.equal(deployment.metadata, metadata, "its metadata stays the same object");
  const { selector, strategy, revisionHistoryLimit, rollbackTo } = { rollbackTo: undefined, ...Object(spec) };
  assert.deepEqual(selector, { matchLabels: { app: "web" } });
  assert.deepEqual(strategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } });
  assert.equal(revisionHistoryLimit, 2);
  assert.equal(rollbackTo, undefined);
  const set = stored(object("apps/v1beta1", "StatefulSet", { spec: { serviceName: "web", template } }));
  assert.deepEqual(Object(set.spec).updateStrategy, { type: "OnDelete" });
  assert.deepEqual(
    Object(stored(object("apps/v1beta2", "DaemonSet", { spec: { template } })).spec).updateStrategy.type,
    "RollingUpdate",
  );
});

test("the rules of today decide about old forms", () => {
  const resource = find("extensions/v1beta1", "Deployment");
  const deployment = object("extensions/v1beta1", "Deployment", {
    spec: { selector: { matchLabels: { app: "other" } }, template },
  });
  resource.defaults(deployment);
  assert.deepEqual(
    resource.validate(deployment).map(({ field }) => field),
    ["spec.template.metadata.labels"],
  );
});

test("autoscalers with targets beside their metrics", () => {
  const metrics = [
    { type: "Resource", resource: { name: "cpu", targetAverageUtilization: 50 } },
    { type: "Pods", pods: { metricName: "rps", targetAverageValue: "10" } },
    {
      type: "Object",
      object: { metricName: "rps", target: { kind: "Ingress", name: "web" }, targetValue: "0", averageValue: "2" },
    },
    {
      type: "External",
      external: { metricName: "queue", metricSelector: { matchLabels: { q: "a" } }, targetValue: "30" },
    },
  ];
  const autoscaler = object("autoscaling/v2beta1", "HorizontalPodAutoscaler", {
    spec: { maxReplicas: 5, scaleTargetRef: { kind: "Deployment", name: "web" }, metrics: deepCopy(metrics) },
  });
  const today = stored(autoscaler);
  assert.deepEqual(Object(today.spec).metrics, [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
    { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } } },
    {
      type: "Object",
      object: {
        metric: { name: "rps" },
        describedObject: { kind: "Ingress", name: "web" },
        target: { type: "AverageValue", averageValue: "2" },
      },
    },
    {
      type: "External",
      external: {
        metric: { name: "queue", selector: { matchLabels: { q: "a" } } },
        target: { type: "Value", value: "30" },
      },
    },
  ]);
  assert.deepEqual(Object(readBack(autoscaler).spec).metrics, Object(autoscaler.spec).metrics);
});

test("custom resource definitions with one schema for all versions", () => {
  const spec = {
    group: "stable.example.com",
    version: "v1",
    names: { plural: "crontabs", kind: "CronTab" },
    subresources: { status: {} },
    additionalPrinterColumns: [{ name: "Spec", type: "string", JSONPath: ".spec.cronSpec" }],
    validation: {
      openAPIV3Schema: { properties: { spec: { properties: { cronSpec: { type: "string" }, any: {} } } } },
    },
  };
  const definition = object("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", { spec: deepCopy(spec) });
  const today = Object(stored(definition).spec);
  assert.deepEqual(today.versions, [
    {
      name: "v1",
      served: true,
      storage: true,
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: "Spec", type: "string", jsonPath: ".spec.cronSpec" }],
      schema: {
        openAPIV3Schema: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: {
            spec: {
              type: "object",
              properties: { cronSpec: { type: "string" }, any: { "x-kubernetes-preserve-unknown-fields": true } },
            },
          },
        },
      },
    },
  ]);
  assert.equal(today.scope, "Namespaced");
  assert.equal("validation" in today, false);
  assert.equal(Object(readBack(definition).spec).version, "v1");
});

test("certificate requests for clients are for the signer of clients", () => {
  const request = object("certificates.k8s.io/v1beta1", "CertificateSigningRequest", {
    spec: { request: "", usages: ["client auth"] },
  });
  assert.equal(Object(stored(request).spec).signerName, "kubernetes.io/kube-apiserver-client");
});
