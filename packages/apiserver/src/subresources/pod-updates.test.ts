import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonValue } from "@skiff/base";
import { testSetup } from "../fixtures/test-client.ts";

const pods = "/api/v1/namespaces/default/pods";
const web = { name: "web", image: "web:1", resources: { requests: { cpu: "1" } } };
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: { containers: [web] } };
const strategic = { "content-type": "application/strategic-merge-patch+json" };

const part = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  isJsonObject(value) ? value[name] : undefined;

test("containers for debugging join a pod, and nothing else changes", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await call(pods, { method: "POST", body: pod });
  const path = `${pods}/web/ephemeralcontainers`;
  const spec = {
    containers: [{ name: "web", image: "other" }],
    ephemeralContainers: [{ name: "debug", image: "d:1" }],
  };
  const patched = await call(path, {
    method: "PATCH",
    body: { metadata: { labels: { a: "b" } }, spec },
    headers: strategic,
  });
  assert.equal(patched.status, 200, patched.text);
  const [container] = [part(patched.json.spec, "containers")].flat();
  assert.equal(part(container, "image"), "web:1");
  assert.equal(part(patched.json.metadata, "labels"), undefined);
  assert.equal(part(patched.json.metadata, "generation"), 2);
  const [debug] = [part(patched.json.spec, "ephemeralContainers")].flat();
  assert.equal(part(debug, "terminationMessagePath"), "/dev/termination-log");
  const replaced = await call(path, { method: "PUT", body: pod });
  assert.equal(replaced.status, 422);
  const message = 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n';
  assert.equal(part(replaced.json, "message"), `Pod "web" is invalid: ${message}`);
  const other = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: "debug", image: "d:2" }] } };
  const changed = await call(path, { method: "PUT", body: other });
  assert.equal(changed.status, 422);
  assert.match(String(part(changed.json, "message")), /existing ephemeral containers "debug" may not be changed\n/);
  assert.equal((await call(path)).json.kind, "Pod");
});

test("a pod is resized", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await call(pods, { method: "POST", body: pod });
  const path = `${pods}/web/resize`;
  const resized = { name: "web", resources: { requests: { cpu: "2" } } };
  const patched = await call(path, { method: "PATCH", body: { spec: { containers: [resized] } }, headers: strategic });
  assert.equal(patched.status, 200, patched.text);
  const [container] = [part(patched.json.spec, "containers")].flat();
  assert.deepEqual(part(container, "resources"), { requests: { cpu: "2" } });
  const refused = await call(path, {
    method: "PUT",
    body: { ...pod, spec: { containers: [{ ...web, resources: {} }] } },
  });
  assert.equal(refused.status, 422);
  const renamed = await call(path, {
    method: "PATCH",
    body: {
      spec: {
        containers: [
          { name: "other", image: "web:1" },
          { name: "web", $patch: "delete" },
        ],
      },
    },
    headers: strategic,
  });
  assert.equal(renamed.status, 422, renamed.text);
  assert.match(
    renamed.text,
    /spec\.containers\[0\]\.name: Forbidden: containers may not be renamed or reordered on resize/,
  );
  const main = await call(`${pods}/web`, {
    method: "PATCH",
    body: { spec: { containers: [resized] } },
    headers: strategic,
  });
  assert.equal(main.status, 200, "nothing changes");
});

test("what is seldom meant is warned of once", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const made = await call(pods, { method: "POST", body: { ...pod, metadata: { name: "a.b" } } });
  assert.equal(made.status, 201);
  assert.match(
    String(made.headers.warning),
    /^299 - "metadata\.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: \[must not contain dots\]"$/,
  );
});
