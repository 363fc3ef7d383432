import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { defaultConfiguration } from "./config/kubelet-configuration.ts";
import { podBehaviours } from "./fixtures/behaviours/pod-behaviours.ts";
import type { NodeFixture } from "./fixtures/node-fixture.ts";
import { startSimulatedNode } from "./fixtures/simulated-node.ts";

const phase = (node: NodeFixture, name: string) => node.pod(name)?.status.phase;
const first = (node: NodeFixture, name: string) => node.pod(name)?.status.containerStatuses?.[0];
const condition = (node: NodeFixture, name: string, type: string) =>
  node.pod(name)?.status.conditions?.find((one) => one.type === type);

describe("the kubelet on simulated pods", () => {
  it("registers its node and holds a lease", async () => {
    await using test = await startSimulatedNode();
    await test.until(() => test.node.api.get("leases", "kube-node-lease", "node-1") !== undefined);
    const node = JSON.stringify(test.node.api.get("nodes", "", "node-1"));
    assert.match(node, /"kubeletVersion":"v1.36.0"/);
    assert.match(node, /"type":"Ready","status":"True"/);
  });

  it("runs a pod, tells of it, and ends it when it is deleted", async () => {
    await using test = await startSimulatedNode();
    test.node.create("web", {});
    await test.until(() => condition(test.node, "web", "Ready")?.status === "True");
    const status = test.node.pod("web")?.status;
    assert.equal(status?.phase, "Running");
    assert.match(status?.podIP ?? "", /^10\.42\.0\./);
    assert.equal(status?.hostIP, "192.0.2.1");
    assert.equal(status?.qosClass, "BestEffort");
    assert.deepEqual(
      status?.conditions?.map((one) => `${one.type}=${one.status}`),
      ["PodReadyToStartContainers=True", "Initialized=True", "Ready=True", "ContainersReady=True", "PodScheduled=True"],
    );
    assert.equal(condition(test.node, "web", "Ready")?.reason, undefined);
    assert.match(first(test.node, "web")?.containerID ?? "", /^simulated:\/\//);
    assert.deepEqual(test.node.reasons("web"), ["Pulled", "Created", "Started"]);
    const uid = test.node.pod("web")?.metadata.uid ?? "";
    const hosts = await readFile(join(test.node.folder, "kubelet/pods", uid, "etc-hosts"), "utf8");
    assert.match(hosts, new RegExp(`${status?.podIP}\tweb\n`));
    await test.node.delete("web");
    await test.until(() => test.node.pod("web") === undefined);
    assert.deepEqual(await test.runtime.listPodSandboxes(), []);
    assert.ok(test.node.reasons("web").includes("Killing"));
    assert.deepEqual(test.node.api.phases.get("web")?.at(-1), "Succeeded");
  });

  it("runs a pod for whose sake a taint has just been taken away", async () => {
    await using test = await startSimulatedNode();
    await test.until(() => test.node.api.get("nodes", "", "node-1") !== undefined);
    const taint = (taints: readonly object[]) => {
      const node = test.node.api.get("nodes", "", "node-1");
      test.node.api.put("nodes", { ...node, spec: { taints } });
    };
    taint([{ key: "out", effect: "NoExecute" }]);
    // By now it has looked at its node.
    await test.pass(15_000);
    test.node.create("early", {});
    await test.until(() => phase(test.node, "early") === "Failed");
    assert.deepEqual(test.node.reasons("early"), ["TaintToleration"]);
    taint([]);
    test.node.create("late", {});
    await test.until(() => phase(test.node, "late") === "Running");
  });

  it("shows pods the certificates of authorities, and follows them", async () => {
    await using test = await startSimulatedNode();
    const certificate = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;
    const bundle = (name: string, trustBundle: string) =>
      test.node.api.put("clustertrustbundles", {
        metadata: { name },
        spec: { signerName: "a.example.com/b", trustBundle },
      });
    bundle("named", certificate("QQ=="));
    const sources = [
      { clusterTrustBundle: { name: "named", path: "named.pem" } },
      { clusterTrustBundle: { signerName: "a.example.com/b", labelSelector: {}, path: "signed.pem" } },
    ];
    const volumeMounts = [{ name: "ca", mountPath: "/ca" }];
    test.node.create("trusts", {
      containers: [{ name: "main", image: "skiff/hello:1", volumeMounts }],
      volumes: [{ name: "ca", projected: { sources } }],
    });
    await test.until(() => phase(test.node, "trusts") === "Running");
    const uid = test.node.pod("trusts")?.metadata.uid ?? "";
    const shown = (file: string) =>
      readFileSync(join(test.node.folder, "kubelet/pods", uid, "volumes/kubernetes.io~projected/ca", file), "utf8");
    assert.equal(shown("named.pem"), `${certificate("QQ==")}\n`);
    bundle("named", certificate("Qg=="));
    await test.until(() => shown("named.pem") === `${certificate("Qg==")}\n`);
    bundle("other", `${certificate("QQ==")}\n${certificate("Qg==")}`);
    // Those that are chosen by their signer are looked for again after a while.
    await test.until(
      () => shown("signed.pem") === `${certificate("QQ==")}\n${certificate("Qg==")}\n`,
      "is merged",
      90_000,
    );
  });

  it("lets probes and hooks pass, unless the pod says otherwise", async () => {
    await using test = await startSimulatedNode();
    const httpGet = { path: "/", port: "http" };
    const ports = [{ name: "http", containerPort: 80 }];
    const exec = { command: ["cat", "/tmp/healthy"] };
    const lifecycle = { postStart: { exec: { command: ["nginx", "-t"] } } };
    const probes = { startupProbe: { exec }, livenessProbe: { tcpSocket: { port: 80 } }, readinessProbe: { httpGet } };
    const containers = [{ name: "main", image: "skiff/hello:1", ports, lifecycle, ...probes }];
    test.node.create("good", { containers });
    await test.until(() => condition(test.node, "good", "Ready")?.status === "True");
    const annotations = { "skiff.dev/simulated-readiness-probe": "fail" };
    test.node.create("unready", { containers }, { annotations });
    const told = { readinessProbe: { exec: { command: ["false"] } } };
    test.node.create("told", { containers: [{ name: "main", image: "skiff/hello:1", ...told }] });
    await test.pass(60_000);
    assert.equal(condition(test.node, "good", "Ready")?.status, "True");
    assert.equal(first(test.node, "good")?.restartCount, 0);
    for (const name of ["unready", "told"]) {
      assert.equal(condition(test.node, name, "Ready")?.status, "False");
      assert.ok(test.node.reasons(name).includes("Unhealthy"));
    }
  });

  it("lets a pod that never restarts succeed or fail for good", async () => {
    await using test = await startSimulatedNode();
    const never = { restartPolicy: "Never" };
    test.node.create("good", never, { annotations: { "skiff.dev/simulated-exit-code": "0" } });
    test.node.create("bad", never, { annotations: { "skiff.dev/simulated-exit-code": "3" } });
    await test.until(() => phase(test.node, "good") === "Succeeded" && phase(test.node, "bad") === "Failed");
    assert.equal(first(test.node, "good")?.state?.terminated?.reason, "Completed");
    assert.equal(first(test.node, "bad")?.state?.terminated?.exitCode, 3);
    assert.equal(condition(test.node, "good", "Ready")?.reason, "PodCompleted");
    assert.equal(condition(test.node, "bad", "Ready")?.reason, "PodFailed");
    await test.pass(600_000);
    assert.equal(first(test.node, "bad")?.restartCount, 0);
  });

  it("restarts what keeps ending, later each time", async () => {
    await using test = await startSimulatedNode();
    test.node.create("crash", {}, { annotations: { "skiff.dev/simulated-exit-code": "1" } });
    await test.until(() => first(test.node, "crash")?.state?.waiting?.reason === "CrashLoopBackOff");
    const pod = test.node.pod("crash");
    assert.equal(
      first(test.node, "crash")?.state?.waiting?.message,
      `back-off 10s restarting failed container=main pod=crash_default(${pod?.metadata.uid})`,
    );
    assert.equal(phase(test.node, "crash"), "Running");
    assert.equal(first(test.node, "crash")?.lastState?.terminated?.exitCode, 1);
    assert.equal(condition(test.node, "crash", "ContainersReady")?.message, "containers with unready status: [main]");
    const backsOff = (text: string) => first(test.node, "crash")?.state?.waiting?.message?.startsWith(text) ?? false;
    for (const delay of ["20s", "40s", "1m20s", "2m40s", "5m0s"]) {
      await test.until(() => backsOff(`back-off ${delay} `), `it backs off for ${delay}`, 200_000);
    }
    assert.equal(first(test.node, "crash")?.restartCount, 6);
    const dead = (await test.runtime.listContainers()).length;
    assert.ok(dead <= 2, `${dead} dead containers are kept`);
  });

  it("tries another image at once, however long the one before had to wait", async () => {
    await using test = await startSimulatedNode();
    test.node.create("crash", {}, { annotations: { "skiff.dev/simulated-exit-code": "1" } });
    test.node.create("missing", { containers: [{ name: "main", image: "nosuch:1" }] });
    const message = (name: string) => first(test.node, name)?.state?.waiting?.message ?? "";
    await test.until(() => message("crash").startsWith("back-off 2m40s "), "it backs off", 400_000);
    await test.until(() => first(test.node, "missing")?.state?.waiting?.reason === "ImagePullBackOff");
    const { finishedAt } = first(test.node, "crash")?.lastState?.terminated ?? {};
    const changed = (name: string) => {
      const pod = test.node.pod(name);
      test.node.api.put("pods", {
        ...pod,
        spec: { ...pod?.spec, containers: [{ ...pod?.spec.containers[0], image: "skiff/hello:2" }] },
      });
    };
    changed("crash");
    changed("missing");
    await test.until(() => first(test.node, "missing")?.state?.running !== undefined, "it runs", 5000);
    await test.until(() => message("crash").startsWith("back-off 10s "), "it begins anew", 5000);
    const again = first(test.node, "crash")?.lastState?.terminated?.startedAt ?? "";
    assert.ok(Date.parse(again) - Date.parse(finishedAt ?? "") < 30_000, `ended ${finishedAt}, started ${again}`);
  });

  it("runs init containers in order before the others", async () => {
    await using test = await startSimulatedNode();
    const init = (name: string) => ({ name, image: "skiff/hello:1", command: ["sleep", "1"] });
    test.node.create("init", { initContainers: [init("a"), init("b")] });
    await test.until(() => test.node.pod("init")?.status.initContainerStatuses?.[0]?.state?.running !== undefined);
    assert.equal(first(test.node, "init")?.state?.waiting?.reason, "PodInitializing");
    assert.equal(condition(test.node, "init", "Initialized")?.message, "containers with incomplete status: [a b]");
    assert.equal(phase(test.node, "init"), "Pending");
    await test.until(() => phase(test.node, "init") === "Running");
    const ended = test.node.pod("init")?.status.initContainerStatuses?.map((one) => one.state?.terminated?.reason);
    assert.deepEqual(ended, ["Completed", "Completed"]);
  });

  it("says why an image cannot be had, and backs off", async () => {
    await using test = await startSimulatedNode();
    test.node.create("missing", { containers: [{ name: "main", image: "nosuch:1" }] });
    await test.until(() => first(test.node, "missing")?.state?.waiting?.reason === "ErrImagePull");
    await test.until(() => first(test.node, "missing")?.state?.waiting?.reason === "ImagePullBackOff");
    assert.match(first(test.node, "missing")?.state?.waiting?.message ?? "", /^Back-off pulling image "nosuch:1"/);
    assert.equal(phase(test.node, "missing"), "Pending");
    const { reasons } = { reasons: test.node.reasons("missing") };
    assert.ok(reasons.includes("Failed") && reasons.includes("BackOff"));
  });

  it("waits for configuration that is missing, and goes on as soon as it is there", async () => {
    await using test = await startSimulatedNode();
    const env = [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } }];
    test.node.create("configured", { containers: [{ name: "main", image: "skiff/hello:1", env }] });
    await test.until(() => first(test.node, "configured")?.state?.waiting?.reason === "CreateContainerConfigError");
    assert.equal(first(test.node, "configured")?.state?.waiting?.message, 'configmap "settings" not found');
    test.node.api.put("configmaps", { metadata: { name: "settings", namespace: "default" }, data: { a: "1" } });
    await test.until(() => phase(test.node, "configured") === "Running", "in time", 2000);
  });

  it("lets a pod go that waits for volumes in vain", async () => {
    await using test = await startSimulatedNode();
    test.node.create("waits", {
      containers: [{ name: "main", image: "skiff/hello:1", volumeMounts: [{ name: "v", mountPath: "/v" }] }],
      volumes: [{ name: "v", configMap: { name: "nowhere" } }],
    });
    await test.until(() => test.node.reasons("waits").includes("FailedMount"));
    await test.node.delete("waits");
    await test.until(() => test.node.pod("waits") === undefined);
  });

  it("shows a changed ConfigMap in its volume", async () => {
    await using test = await startSimulatedNode();
    test.node.api.put("configmaps", { metadata: { name: "files", namespace: "default" }, data: { "a.txt": "one" } });
    test.node.create("reader", {
      containers: [{ name: "main", image: "skiff/hello:1", volumeMounts: [{ name: "v", mountPath: "/v" }] }],
      volumes: [{ name: "v", configMap: { name: "files" } }],
    });
    await test.until(() => phase(test.node, "reader") === "Running");
    const uid = test.node.pod("reader")?.metadata.uid ?? "";
    const file = join(test.node.folder, "kubelet/pods", uid, "volumes/kubernetes.io~configmap/v/a.txt");
    assert.equal(await readFile(file, "utf8"), "one");
    test.node.api.put("configmaps", { metadata: { name: "files", namespace: "default" }, data: { "a.txt": "two" } });
    await test.until(() => readFileSync(file, "utf8") === "two", "the file changes", 2000);
  });

  it("finds its pods again after a restart, and ends those that are gone", async () => {
    await using test = await startSimulatedNode();
    test.node.create("stays", {});
    test.node.create("goes", {});
    await test.until(() => phase(test.node, "stays") === "Running" && phase(test.node, "goes") === "Running");
    const id = first(test.node, "stays")?.containerID;
    await test.node.stopAgent();
    assert.equal((await test.runtime.listContainers()).length, 2);
    await test.node.delete("goes", 0);
    await test.node.startAgent();
    await test.pass(5000);
    assert.equal((await test.runtime.listPodSandboxes()).length, 1);
    assert.equal(first(test.node, "stays")?.containerID, id);
    assert.equal(first(test.node, "stays")?.restartCount, 0);
  });

  it("ends a pod that is past its deadline", async () => {
    await using test = await startSimulatedNode();
    test.node.create("late", { activeDeadlineSeconds: 5 });
    await test.until(() => phase(test.node, "late") === "Failed");
    assert.equal(test.node.pod("late")?.status.reason, "DeadlineExceeded");
  });

  it("declares what it can do and is not told to leave, and says where a pod's change needs the rest", async () => {
    const gate = "InPlacePodLevelResourcesVerticalScaling";
    const configuration = { ...defaultConfiguration, featureGates: { [gate]: false } };
    await using test = await startSimulatedNode(undefined, { configuration });
    const declared = () =>
      /"declaredFeatures":(\[.*?\])/.exec(JSON.stringify(test.node.api.get("nodes", "", "node-1")));
    await test.until(() => declared() !== null);
    assert.deepEqual(JSON.parse(declared()?.[1] ?? ""), [
      "ExtendWebSocketsToKubelet",
      "InPlacePodVerticalScalingInitContainers",
      "RestartAllContainersOnContainerExits",
    ]);
    const resources = (cpu: string) => ({ requests: { cpu } });
    test.node.create("whole", { resources: resources("1") });
    await test.until(() => phase(test.node, "whole") === "Running");
    const pod = test.node.pod("whole");
    assert.ok(pod !== undefined && !test.node.reasons("whole").includes("FailedNodeDeclaredFeaturesCheck"));
    test.node.api.put("pods", { ...pod, spec: { ...pod.spec, resources: resources("2") } });
    await test.until(() => test.node.reasons("whole").includes("FailedNodeDeclaredFeaturesCheck"));
  });

  it("refuses a pod that asks for more than there is", async () => {
    await using test = await startSimulatedNode();
    const resources = { requests: { cpu: "64" } };
    test.node.create("big", { containers: [{ name: "main", image: "skiff/hello:1", resources }] });
    await test.until(() => phase(test.node, "big") === "Failed");
    assert.equal(test.node.pod("big")?.status.reason, "OutOfcpu");
  });

  it("counts no pod that is gone from the API, though it still runs", async () => {
    await using test = await startSimulatedNode();
    const containers = [{ name: "main", image: "skiff/hello:1", resources: { requests: { cpu: "3" } } }];
    test.node.create("first", { containers });
    await test.until(() => phase(test.node, "first") === "Running");
    test.node.delete("first", 0);
    test.node.create("second", { containers });
    await test.until(() => phase(test.node, "second") === "Running" || phase(test.node, "second") === "Failed");
    assert.equal(test.node.pod("second")?.status.reason, undefined);
  });
});

describe("pods on the simulated runtime", () => {
  const nodes = new AsyncDisposableStack();
  after(() => nodes[Symbol.asyncDispose]());
  podBehaviours(async () => nodes.use(await startSimulatedNode()), {
    image: "skiff/hello:1",
    missingImage: "nosuch:1",
  });
});
