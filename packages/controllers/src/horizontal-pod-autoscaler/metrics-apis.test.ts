import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, Ingresses, Namespaces, refusals } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { metricsFrom } from "./metrics-apis.ts";

const { signal } = new AbortController();
const resources = {
  all: () => [Deployments, Ingresses, Namespaces],
  whenKnown: () => Promise.resolve(),
  onChange: () => ({ [Symbol.dispose]() {} }),
};

/** Metrics APIs that answer what `answers` has, by path and query; what was asked is kept. */
function apis(answers: Readonly<Record<string, JsonObject>>) {
  const asked: string[] = [];
  const source = metricsFrom(async (url) => {
    asked.push(url);
    const answer = answers[url];
    if (answer === undefined) throw refusals.noSuchPath();
    return answer;
  }, resources);
  return { source, asked };
}

const custom = "/apis/custom.metrics.k8s.io/v1beta1";
const of = { namespace: "shop", selector: "app=web" };
const timestamp = "2026-01-01T00:00:00Z";
const atMs = Date.parse(timestamp);

test("usage of resources is read by container; pods that lack a figure are left out", async () => {
  const container = (name: string, usage: JsonObject) => ({ name, usage });
  const items = [
    {
      metadata: { name: "a" },
      timestamp,
      window: "1m30.5s",
      containers: [container("x", { cpu: "1500000n" }), container("y", { cpu: "2" })],
    },
    { metadata: { name: "b" }, timestamp, window: "15s", containers: [container("x", { memory: "1Ki" })] },
  ];
  const { source } = apis({ "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb": { items } });
  const sample = {
    millisByContainer: new Map([
      ["x", 2],
      ["y", 2000],
    ]),
    atMs,
    windowMs: 90_500,
  };
  assert.deepEqual(await source.resource("cpu", of, signal), new Map([["a", sample]]));
});

test("custom metrics of pods are read from the newest version that is served", async () => {
  const items = [{ describedObject: { name: "a" }, value: "500m", timestamp, windowSeconds: 30 }];
  const url = `${custom}/namespaces/shop/pods/*/hits?labelSelector=app%3Dweb&metricLabelSelector=code%3D200`;
  const { source, asked } = apis({ [custom]: {}, [url]: { items } });
  const metric = { name: "hits", selector: { matchLabels: { code: "200" } } };
  const sample = { millisByContainer: new Map([["", 500]]), atMs, windowMs: 30_000 };
  assert.deepEqual(await source.pods(metric, of, signal), new Map([["a", sample]]));
  assert.deepEqual(asked, ["/apis/custom.metrics.k8s.io/v1beta2", custom, url]);
});

const objects: readonly [string, { kind: string; apiVersion: string; name: string }, string][] = [
  [
    "a namespaced object",
    { kind: "Ingress", apiVersion: "networking.k8s.io/v1", name: "main" },
    "namespaces/shop/ingresses.networking.k8s.io/main/hits",
  ],
  ["a namespace", { kind: "Namespace", apiVersion: "v1", name: "shop" }, "namespaces/shop/metrics/hits"],
];

for (const [name, ref, path] of objects) {
  test(`a custom metric of ${name}`, async () => {
    const { source } = apis({ [custom]: {}, [`${custom}/${path}`]: { items: [{ value: "2k" }] } });
    assert.equal(await source.object({ name: "hits" }, { ...ref, namespace: "shop" }, signal), 2_000_000);
  });
}

test("external metrics are summed up", async () => {
  const url = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue?labelSelector=name%3Djobs";
  const { source } = apis({ [url]: { items: [{ value: "3" }, { value: "500m" }] } });
  const metric = { name: "queue", selector: { matchLabels: { name: "jobs" } } };
  assert.equal(await source.external(metric, "shop", signal), 3500);
});

test("what cannot be had is told in Kubernetes' words", async () => {
  const { source } = apis({
    "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb": { items: [] },
  });
  const fails = async (work: Promise<unknown>, message: string) => await assert.rejects(work, { message });
  await fails(source.resource("cpu", of, signal), "no metrics returned from resource metrics API");
  await fails(
    source.pods({ name: "hits" }, of, signal),
    "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
  );
  await fails(
    source.external({ name: "queue" }, "shop", signal),
    "unable to fetch metrics from external metrics API: the server could not find the requested resource",
  );
});
