import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { staticPod } from "./manifests.ts";
import { mirrorOf } from "./mirror-pods.ts";

const manifest = (version: string, name = "web") =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  labels: {app: ${name}}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - name: main\n    image: skiff/hello:1\n    env: [{name: V, value: "${version}"}]\n`;

const place = { file: "/m/web.yaml", nodeName: "node-1", nowMs: Date.UTC(2026, 0, 1) };

describe("manifests", () => {
  it("become pods of this node", () => {
    const pod = staticPod(manifest("1"), place);
    const { name, namespace, uid, annotations } = pod.metadata;
    assert.deepEqual([name, namespace, pod.spec.nodeName], ["web-node-1", "default", "node-1"]);
    assert.match(uid, /^[0-9a-f]{32}$/);
    assert.deepEqual(annotations, {
      "kubernetes.io/config.hash": uid,
      "kubernetes.io/config.seen": "2026-01-01T00:00:00Z",
      "kubernetes.io/config.source": "file",
    });
    assert.deepEqual(pod.spec.tolerations, [{ operator: "Exists", effect: "NoExecute" }]);
    assert.equal(pod.spec.restartPolicy, "Always");
    assert.equal(staticPod(manifest("1"), { ...place, nowMs: 0 }).metadata.uid, uid);
    assert.notEqual(staticPod(manifest("2"), place).metadata.uid, uid);
  });

  it("that are no pods are refused", () => {
    assert.throws(() => staticPod("kind: Pod\n", place), /a pod has metadata and a spec/);
    assert.throws(() => staticPod(": no", place));
    assert.throws(() => staticPod("kind: Secret\nmetadata: {name: a}\n", place), /Secret/);
    assert.throws(() => staticPod("metadata: {name: a}\nspec: {containers: []}\n", place), /spec.containers: /);
  });

  it("are shown as what belongs to the node", () => {
    const pod = staticPod(manifest("1"), place);
    const { metadata } = mirrorOf(pod, "n1");
    assert.equal(metadata.annotations?.["kubernetes.io/config.mirror"], pod.metadata.uid);
    assert.deepEqual(metadata.ownerReferences, [
      { apiVersion: "v1", kind: "Node", name: "node-1", uid: "n1", controller: true },
    ]);
  });
});

describe("static pods", () => {
  it("run, are shown, come back when deleted, follow their manifest, and go with it", async () => {
    await using test = await startSimulatedNode();
    const { node } = test;
    const file = join(node.folder, "manifests", "web.yaml");
    const name = "web-node-1";
    const isReady = () =>
      node.pod(name)?.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
    const hash = () => node.pod(name)?.metadata.annotations?.["kubernetes.io/config.mirror"];
    await test.until(() => node.api.get("nodes", "", "node-1") !== undefined, "registered");
    await mkdir(join(node.folder, "manifests"), { recursive: true });
    await writeFile(file, manifest("1"));
    await test.until(() => isReady() === true, "ready");
    const [first, uid] = [hash(), node.pod(name)?.metadata.uid];
    assert.notEqual(first, uid);
    const [container] = await test.runtime.listContainers();
    await node.delete(name);
    await test.until(() => node.pod(name)?.metadata.uid !== uid && isReady() === true, "shown again");
    assert.deepEqual(
      (await test.runtime.listContainers()).map((one) => one.id),
      [container?.id],
    );
    await node.stopAgent();
    await node.startAgent();
    await test.pass(30_000);
    assert.deepEqual(
      (await test.runtime.listContainers()).map((one) => one.id),
      [container?.id],
    );
    assert.equal(isReady(), true);
    await writeFile(file, manifest("2"));
    await test.until(() => hash() !== first && isReady() === true, "replaced");
    assert.notEqual((await test.runtime.listContainers())[0]?.id, container?.id);
    await rm(file);
    await test.until(() => node.pod(name) === undefined, "no longer shown");
    await test.pass(5000);
    assert.deepEqual(await test.runtime.listPodSandboxes(), []);
  });
});
