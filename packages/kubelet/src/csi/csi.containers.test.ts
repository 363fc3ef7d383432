import assert from "node:assert/strict";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CSIDriver, Pod } from "@skiff/api";
import { isJsonObject, type JsonObject, systemClock } from "@skiff/base";
import { controllerService } from "@skiff/csi";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { AttachedDriver } from "../fixtures/attached-driver-process.ts";
import { TestAuthority } from "../fixtures/certificates.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { NodeClient } from "../fixtures/node-client.ts";
import { attachmentName } from "./csi-volume.ts";

const { signal } = new AbortController();
const name = "attached.csi.example.com";
const size = 32 * 1024 ** 2;
let machine: ContainerdNode;
let driver: AttachedDriver;
let admin: NodeClient;

before(async () => {
  const authority = await TestAuthority.create();
  const server = { address: "127.0.0.1", port: 0, ...(await authority.sign("CN=node")), clientCa: authority.cert };
  machine = await startContainerdNode(server, { ...defaultConfiguration, featureGates: { CSIVolumeHealth: true } });
  admin = new NodeClient(machine.node.kubelet?.port ?? 0, await authority.sign("O=system:masters,CN=admin"));
  const folder = await mkdtemp(join(tmpdir(), "skiff-attached-"));
  const registry = join(machine.node.folder, "kubelet/plugins_registry");
  driver = await AttachedDriver.start({ folder, registry, nodeId: "id-of-node-1", name });
  await until(async () => (await driver.requests("NotifyRegistrationStatus")).length > 0, "the driver is registered");
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
});

/** Waits as long as it takes; the limit is for what never happens. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > endMs) {
      const events = machine.node.events.slice(-8).map((one) => JSON.stringify(one));
      assert.fail([what, ...events, ...machine.warnings.slice(-8)].join("\n"));
    }
    await systemClock.sleep(10, signal);
  }
}

const api = () => machine.node.api;
const object = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
const nodeStatus = () => object(api().get("nodes", "", "node-1")?.status);
const messages = (pod: string) => machine.node.events.filter((one) => one.name === pod).map((one) => one.message);
const ended = (pod: string) => ["Succeeded", "Failed"].includes(machine.node.pod(pod)?.status.phase ?? "");
const said = (pod: string) =>
  machine.node.pod(pod)?.status.containerStatuses?.[0]?.state?.terminated?.message?.trimEnd();
const unique = (handle: string) => `kubernetes.io/csi/${name}^${handle}`;

function describeDriver(spec: Partial<CSIDriver["spec"]>): void {
  api().put("csidrivers", { metadata: { name }, spec: { attachRequired: true, ...spec } });
}

/** A volume with its claim, bound to one another, both named as the volume's handle. */
async function makeVolume(handle: string, spec: object = {}, csi: object = {}): Promise<void> {
  const capacityRange = { requiredBytes: size };
  await driver.client.call(controllerService.createVolume, { name: handle, capacityRange }, signal);
  const claimUid = `claim-${handle}`;
  api().put("persistentvolumes", {
    metadata: { name: handle, uid: `pv-${handle}` },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "32Mi" },
      claimRef: { uid: claimUid },
      csi: { driver: name, volumeHandle: handle, volumeAttributes: { tier: "gold" }, fsType: "ext4", ...csi },
      ...spec,
    },
  });
  api().put("persistentvolumeclaims", {
    metadata: { name: handle, namespace: "default", uid: claimUid },
    spec: { volumeName: handle },
    status: { phase: "Bound", capacity: { storage: "32Mi" } },
  });
}

/** What the attach/detach controller and the driver's attacher do. */
async function attach(handle: string): Promise<void> {
  const request = { volumeId: handle, nodeId: "id-of-node-1" };
  const { publishContext } = await driver.client.call(controllerService.controllerPublishVolume, request, signal);
  api().put("volumeattachments", {
    metadata: { name: attachmentName({ handle, driver: name }, "node-1") },
    spec: { attacher: name, nodeName: "node-1", source: { persistentVolumeName: handle } },
    status: { attached: true, attachmentMetadata: { ...publishContext } },
  });
  await listAttached([handle]);
}

async function listAttached(handles: readonly string[]): Promise<void> {
  const volumesAttached = handles.map((one) => ({ name: unique(one), devicePath: "" }));
  const body = { status: { volumesAttached } };
  const where = { group: "", version: "v1", plural: "nodes", name: "node-1", subresource: "status" } as const;
  await api().send({ ...where, verb: "patch", patchType: "merge", body });
}

const claimed = (handle: string): Partial<Pod["spec"]> => ({
  volumes: [{ name: "v", persistentVolumeClaim: { claimName: handle } }],
});

function create(pod: string, script: string, spec: Partial<Pod["spec"]>, devices = false): void {
  const uses = devices
    ? { volumeDevices: [{ name: "v", devicePath: "/dev/v" }] }
    : { volumeMounts: [{ name: "v", mountPath: "/v" }] };
  machine.node.create(pod, {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    ...spec,
    containers: [{ name: "main", image: "skiff/hello:1", command: ["sh", "-c", script], ...uses }],
  });
}

async function gone(pod: string): Promise<void> {
  await machine.node.delete(pod, 1);
  await until(() => machine.node.pod(pod) === undefined, `${pod} goes`);
}

const lastOf = async (call: string): Promise<JsonObject> => (await driver.requests(call)).at(-1) ?? {};

describe("volumes of a driver that attaches them", () => {
  it("is told of in CSINode and the node's labels", async () => {
    const spec = object(api().get("csinodes", "", "node-1")?.spec);
    assert.deepEqual(spec.drivers, [
      {
        name,
        nodeID: "id-of-node-1",
        topologyKeys: ["topology.attached.example.com/zone"],
        allocatable: { count: 3 },
      },
    ]);
    const labels = object(object(api().get("nodes", "", "node-1")?.metadata).labels);
    assert.equal(labels["topology.attached.example.com/zone"], "z1");
  });

  it("wait for their attachment without complaint, and get what it gave, with secrets and words about the pod", async () => {
    describeDriver({ podInfoOnMount: true, fsGroupPolicy: "File", tokenRequests: [{ audience: "vault" }] });
    for (const secret of ["stage", "publish"])
      api().put("secrets", {
        metadata: { name: secret, namespace: "other" },
        data: { key: Buffer.from(`of ${secret}`).toString("base64") },
      });
    await makeVolume(
      "vol-1",
      { mountOptions: ["noatime"] },
      {
        nodeStageSecretRef: { namespace: "other", name: "stage" },
        nodePublishSecretRef: { namespace: "other", name: "publish" },
      },
    );
    const script =
      "{ echo kept >/v/f; stat -c '%g %a' /v; grep -c ' /v ext4' /proc/mounts; } >/dev/termination-log 2>&1";
    create("first", script, { ...claimed("vol-1"), securityContext: { fsGroup: 4321 } });
    await until(() => JSON.stringify(nodeStatus().volumesInUse) === JSON.stringify([unique("vol-1")]), "is in use");
    assert.deepEqual(await driver.requests("NodeStageVolume"), []);
    await attach("vol-1");
    await until(() => ended("first"), "first ends");
    assert.equal(said("first"), "4321 2775\n1");
    assert.deepEqual(
      messages("first").filter((one) => /attach|mount/i.test(one)),
      [],
    );
    const staged = await lastOf("NodeStageVolume");
    const device = object(staged.publishContext).device;
    assert.match(String(device), /^\/dev\/loop/);
    assert.deepEqual(staged.secrets, { key: "of stage" });
    assert.deepEqual(staged.volumeContext, { tier: "gold" });
    const capability = { mount: { fsType: "ext4", mountFlags: ["noatime"], volumeMountGroup: "" } };
    // It does not know of several pods of a node that write: it hears of one writer.
    assert.deepEqual(staged.volumeCapability, { ...capability, accessMode: { mode: 1 } });
    const published = await lastOf("NodePublishVolume");
    assert.deepEqual(published.secrets, { key: "of publish" });
    assert.deepEqual(published.publishContext, { device });
    assert.equal(published.stagingTargetPath, staged.stagingTargetPath);
    const uid = machine.node.pod("first")?.metadata.uid;
    const { "csi.storage.k8s.io/serviceAccount.tokens": tokens, ...words } = object(published.volumeContext);
    assert.match(String(tokens), /^\{"vault":\{"token":"token-1","expirationTimestamp":"/);
    assert.deepEqual(words, {
      tier: "gold",
      "csi.storage.k8s.io/ephemeral": "false",
      "csi.storage.k8s.io/pod.name": "first",
      "csi.storage.k8s.io/pod.namespace": "default",
      "csi.storage.k8s.io/pod.uid": uid,
      "csi.storage.k8s.io/serviceAccount.name": "default",
    });
    await gone("first");
    await until(() => JSON.stringify(nodeStatus().volumesInUse ?? []) === "[]", "is not in use any more");
    assert.equal((await driver.requests("NodeUnstageVolume")).length, 1);
  });

  it("tell how full and how well they are, by their driver's word", async () => {
    await writeFile(join(driver.options.folder, "condition"), "the disk is on fire");
    create("measured", "sleep 1000", claimed("vol-1"));
    await until(() => machine.node.pod("measured")?.status.phase === "Running", "measured runs");
    const { text } = await admin.get("/metrics");
    const labels = '\\{namespace="default",persistentvolumeclaim="vol-1"\\}';
    for (const [name, value] of [
      ["capacity_bytes", "2\\d{7}"],
      ["available_bytes", "2\\d{7}"],
      ["used_bytes", "\\d{4,6}"],
      ["health_status_abnormal", "1"],
    ])
      assert.match(text, new RegExp(`^kubelet_volume_stats_${name}${labels} ${value}$`, "m"));
    const summary = JSON.parse((await admin.get("/stats/summary")).text);
    const [volume] = summary.pods.find((pod: JsonObject) => object(pod.podRef).name === "measured").volume;
    assert.deepEqual(volume.pvcRef, { name: "vol-1", namespace: "default" });
    assert.deepEqual(volume.volumeHealthStats, { abnormal: true });
    assert.ok(messages("measured").includes("Volume v: the disk is on fire"));
    await gone("measured");
  });

  it("keep their data, are staged once for all pods of the node, and outlive the agent and the driver", async () => {
    const stages = (await driver.requests("NodeStageVolume")).length;
    const unstages = (await driver.requests("NodeUnstageVolume")).length;
    create("one", "cat /v/f >/dev/termination-log; until test -e /v/end; do sleep 0.1; done", claimed("vol-1"));
    create("two", "until test -e /v/end; do sleep 0.1; done", claimed("vol-1"));
    for (const pod of ["one", "two"])
      await until(() => machine.node.pod(pod)?.status.phase === "Running", `${pod} runs`);
    await machine.node.stopAgent();
    await driver.stop();
    await driver.restart();
    await machine.node.startAgent();
    await until(async () => (await driver.requests("NotifyRegistrationStatus")).length > 1, "the driver is back");
    await gone("one");
    assert.equal((await driver.requests("NodeUnstageVolume")).length, unstages);
    assert.deepEqual(nodeStatus().volumesInUse, [unique("vol-1")]);
    await gone("two");
    assert.equal((await driver.requests("NodeUnstageVolume")).length, unstages + 1);
    assert.ok((await driver.requests("NodeStageVolume")).length >= stages + 1);
    assert.ok(!(await machine.mounts()).some(({ target }) => target.includes(`csi/${name}`)));
  });

  it("are devices where pods want devices", async () => {
    await makeVolume("raw", { volumeMode: "Block" });
    create("raw", "blockdev --getsize64 /dev/v >/dev/termination-log 2>&1; echo x >/dev/v", claimed("raw"), true);
    await until(() => JSON.stringify(nodeStatus().volumesInUse ?? "").includes("^raw"), "is in use");
    await attach("raw");
    await until(() => ended("raw"), "raw ends");
    assert.equal(machine.node.pod("raw")?.status.phase, "Succeeded");
    assert.deepEqual((await lastOf("NodePublishVolume")).volumeCapability, { block: {}, accessMode: { mode: 1 } });
    await gone("raw");
    await listAttached(["vol-1"]);
  });

  it("are given to pods again where the driver wants that, with tokens in confidence", async () => {
    const tokenRequests = [{ audience: "" }];
    describeDriver({ requiresRepublish: true, serviceAccountTokenInSecrets: true, tokenRequests });
    create("again", "sleep 1000", claimed("vol-1"));
    await until(() => machine.node.pod("again")?.status.phase === "Running", "again runs");
    const first = await driver.requests("NodePublishVolume");
    const published = first.at(-1) ?? {};
    assert.match(String(object(published.secrets)["csi.storage.k8s.io/serviceAccount.tokens"]), /^\{"":\{"token"/);
    assert.deepEqual(published.volumeContext, { tier: "gold" });
    const body = { metadata: { annotations: { changed: "yes" } } };
    const where = { group: "", version: "v1", plural: "pods", namespace: "default", name: "again" } as const;
    await api().send({ ...where, verb: "patch", patchType: "merge", body });
    await until(async () => (await driver.requests("NodePublishVolume")).length > first.length, "is published again");
    await gone("again");
  });

  it("exist for one pod only where the driver offers that", async () => {
    describeDriver({ podInfoOnMount: true });
    const inline = { volumes: [{ name: "v", csi: { driver: name, volumeAttributes: { of: "pod" } } }] };
    create("inline", "touch /v/f", inline);
    const refusal = `MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetupAt failed to check volume lifecycle mode: volume mode "Ephemeral" not supported by driver ${name} (only supports ["Persistent"])`;
    await until(() => messages("inline").includes(refusal), "is refused");
    describeDriver({ podInfoOnMount: true, volumeLifecycleModes: ["Persistent", "Ephemeral"] });
    await until(() => machine.node.pod("inline")?.status.phase === "Succeeded", "inline ends");
    const published = await lastOf("NodePublishVolume");
    assert.match(String(published.volumeId), /^csi-[0-9a-f]{64}$/);
    assert.equal(object(published.volumeContext)["csi.storage.k8s.io/ephemeral"], "true");
    assert.equal(published.stagingTargetPath, "");
    const unstages = (await driver.requests("NodeUnstageVolume")).length;
    await gone("inline");
    assert.equal((await driver.requests("NodeUnstageVolume")).length, unstages);
  });

  it("are one pod's alone where they are ReadWriteOncePod", async () => {
    await makeVolume("alone", { accessModes: ["ReadWriteOncePod"] });
    create("holder", "sleep 1000", claimed("alone"));
    await until(() => JSON.stringify(nodeStatus().volumesInUse ?? "").includes("^alone"), "is in use");
    await attach("alone");
    await until(() => machine.node.pod("holder")?.status.phase === "Running", "holder runs");
    create("second", "true", claimed("alone"));
    const refusal =
      'MountVolume.SetUp failed for volume "alone" : volume uses the ReadWriteOncePod access mode and is already in use by another pod';
    await until(() => messages("second").includes(refusal), "second is refused");
    await gone("holder");
    await until(() => ended("second"), "second has its turn");
    await gone("second");
  });

  it("grow on the node, or the claim says why not", async () => {
    describeDriver({});
    await makeVolume("grows");
    create("grows", "sleep 1000", claimed("grows"));
    await until(() => JSON.stringify(nodeStatus().volumesInUse ?? "").includes("^grows"), "is in use");
    await attach("grows");
    await until(() => machine.node.pod("grows")?.status.phase === "Running", "grows runs");
    const request = { volumeId: "grows", capacityRange: { requiredBytes: 2 * size } };
    await driver.client.call(controllerService.controllerExpandVolume, request, signal);
    const claim = () => object(api().get("persistentvolumeclaims", "default", "grows"));
    const pending = {
      ...object(claim().status),
      allocatedResources: { storage: "64Mi" },
      allocatedResourceStatuses: { storage: "NodeResizePending" },
      conditions: [{ type: "FileSystemResizePending", status: "True" }],
    };
    api().put("persistentvolumeclaims", { ...claim(), status: pending });
    // The next pod that has it finds it grown, whether or not what is mounted may grow here.
    await gone("grows");
    create("grown", "df -m /v | tail -1 | awk '{ print ($2 > 40) }' >/dev/termination-log", claimed("grows"));
    await until(() => ended("grown"), "grown ends");
    const { capacity, allocatedResourceStatuses, conditions = [] } = object(claim().status);
    const errors = JSON.stringify(conditions);
    if (errors.includes("NodeResizeError")) {
      assert.match(errors, /failed to expand pvc with Expander.NodeExpand failed to expand the volume : .*Permission/);
    } else {
      assert.deepEqual([capacity, allocatedResourceStatuses, conditions], [{ storage: "64Mi" }, undefined, []]);
      assert.equal(said("grown"), "1");
      assert.ok(messages("grown").includes('MountVolume.NodeExpandVolume succeeded for volume "grows" node-1'));
    }
    await gone("grown");
  });

  it("are counted anew as often as the driver wants", async () => {
    await writeFile(join(driver.options.folder, "limit"), "7");
    describeDriver({ nodeAllocatableUpdatePeriodSeconds: 1 });
    const count = () => JSON.stringify(api().get("csinodes", "", "node-1")?.spec);
    await until(() => count().includes('"count":7'), "the node can have more volumes");
  });

  it("go from the node's objects with their driver", async () => {
    await driver.stop();
    await until(() => JSON.stringify(api().get("csinodes", "", "node-1")?.spec) === '{"drivers":[]}', "is withdrawn");
    const annotations = object(object(api().get("nodes", "", "node-1")?.metadata).annotations);
    assert.equal(annotations["csi.volume.kubernetes.io/nodeid"], undefined);
    const left = await readdir(join(machine.node.folder, "kubelet/plugins/kubernetes.io/csi", name)).catch(() => []);
    assert.deepEqual(left, []);
  });
});
