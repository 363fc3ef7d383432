import assert from "node:assert/strict";
import { createServer } from "node:https";
import { test } from "node:test";
import { ConfigMaps, Deployments, MutatingWebhookConfigurations, Pods } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import { issueAccess } from "./issue-access.ts";
import { TestCluster } from "./test-cluster.ts";

test("what a webhook adds reaches the pods that controllers make", async (context) => {
  const access = await issueAccess();
  const patch = [{ op: "add", path: "/metadata/annotations", value: { injected: "yes" } }];
  const server = createServer(access.server, async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const review: unknown = JSON.parse(text);
    const asked = isJsonObject(review) && isJsonObject(review.request) ? review.request : {};
    const decision = {
      uid: asked.uid,
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
    };
    response.end(JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: decision }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close().closeAllConnections());
  const address = server.address();
  assert(address !== null && typeof address === "object");
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const webhook = {
    name: "inject.example.com",
    clientConfig: {
      url: `https://127.0.0.1:${address.port}/inject`,
      caBundle: Buffer.from(access.ca).toString("base64"),
    },
    rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
  };
  await client.create(MutatingWebhookConfigurations, { metadata: { name: "inject" }, webhooks: [webhook] }, { signal });
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "a", image: "nginx" }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await client.create(Deployments, { metadata: { name: "web", namespace: "default" }, spec }, { signal });
  await client.create(ConfigMaps, { metadata: { name: "other", namespace: "default" } }, { signal });
  await cluster.eventually(async () => {
    const { items } = await client.list(Pods, { namespace: "default", signal });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.annotations?.injected),
      ["yes", "yes"],
    );
  });
});
