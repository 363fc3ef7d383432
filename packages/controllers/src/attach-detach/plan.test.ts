import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, PersistentVolume, Pod, VolumeAttachment } from "@skiff/api";
import { podNamed } from "../fixtures/objects.ts";
import { attachableVolume, attachmentName, namedVolume } from "./attachable-volume.ts";
import { attachLimitMs, type NodeSituation, planVolumes, unmountLimitMs } from "./plan.ts";
import type { WantedVolume } from "./wanted-volumes.ts";

const meta = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });
const persistentVolume = (accessModes: string[]): PersistentVolume => ({
  metadata: meta("pv"),
  spec: { accessModes, csi: { driver: "d.example.com", volumeHandle: "h" } },
  status: { phase: "Bound" },
});
const volumeOf = (accessModes: string[], pods: readonly Pod[]): WantedVolume => {
  const found = persistentVolume(accessModes);
  const volume = attachableVolume(found);
  assert.ok(volume);
  return { ...volume, persistentVolume: found, pods };
};
const once = volumeOf(["ReadWriteOnce"], [podNamed("p")]);
const shared = volumeOf(["ReadWriteMany"], [podNamed("p")]);
const { name: listed } = once;

const attachmentTo = (
  nodeName: string,
  status: Partial<VolumeAttachment["status"]> = {},
  more: Partial<VolumeAttachment["metadata"]> = {},
): VolumeAttachment => ({
  metadata: { ...meta(attachmentName(once, nodeName)), ...more },
  spec: { attacher: once.driver, nodeName, source: { persistentVolumeName: "pv" } },
  status: { attached: false, ...status },
});

const node = (facts: { ready?: boolean; taint?: string; volumesAttached?: string[] } = {}): Node => ({
  metadata: meta("n1"),
  spec: { ...(facts.taint === undefined ? {} : { taints: [{ key: facts.taint, effect: "NoExecute" }] }) },
  status: {
    conditions: [{ type: "Ready", status: facts.ready === false ? "Unknown" : "True" }],
    ...(facts.volumesAttached === undefined
      ? {}
      : { volumesAttached: facts.volumesAttached.map((name) => ({ name, devicePath: "" })) }),
  },
});

function plan(situation: Partial<NodeSituation> & { readonly own?: VolumeAttachment }) {
  const { own, ...rest } = situation;
  return planVolumes({
    name: "n1",
    node: node(),
    wanted: [],
    attachments: own === undefined ? [] : [{ volume: once, attachment: own }],
    elsewhere: () => [],
    users: () => [],
    inUse: () => false,
    memories: new Map(),
    nowMs: 0,
    ...rest,
  });
}

const texts = ({ events }: ReturnType<typeof plan>) => events.map(({ reason, message }) => `${reason}: ${message}`);
const deleted = { deletionTimestamp: "2026-01-01T00:00:00Z" };

test("a wanted volume is attached, and told once it is", () => {
  assert.deepEqual(plan({ wanted: [once] }).attach, [once]);
  assert.deepEqual(plan({ wanted: [once], own: attachmentTo("n1") }).attach, []);
  const attached = plan({ wanted: [once], own: attachmentTo("n1", { attached: true }) });
  assert.deepEqual(attached.report, [{ name: listed, devicePath: "" }]);
  assert.deepEqual(texts(attached), ['SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" ']);
  const listedNode = node({ volumesAttached: [listed] });
  const again = plan({ wanted: [once], own: attachmentTo("n1", { attached: true }), node: listedNode });
  assert.deepEqual([again.report, again.events], [undefined, []]);
});

test("an attachment that ends is waited for", () => {
  assert.deepEqual(plan({ wanted: [once], own: attachmentTo("n1", {}, deleted) }).attach, []);
});

const otherwise = [
  { what: "attached elsewhere", other: attachmentTo("n2", { attached: true }), told: true },
  { what: "failing elsewhere", other: attachmentTo("n2", { attachError: { message: "no" } }), told: true },
  { what: "being attached elsewhere", other: attachmentTo("n2"), told: false },
  { what: "being detached elsewhere", other: attachmentTo("n2", { attached: true }, deleted), told: false },
];

for (const { what, other, told } of otherwise) {
  test(`a volume for one node that is ${what} is not attached${told ? ", which its pods are told" : ""}`, () => {
    const { attach, events } = plan({ wanted: [once], elsewhere: () => [other] });
    assert.deepEqual([attach, events.length], [[], told ? 1 : 0]);
  });
  test(`a volume for many nodes that is ${what} is attached`, () => {
    assert.deepEqual(plan({ wanted: [shared], elsewhere: () => [other] }).attach, [shared]);
  });
}

const abroad = (name: string): Pod => {
  const pod = podNamed(name);
  return { ...pod, metadata: { ...pod.metadata, namespace: "other" } };
};

const holders = [
  { users: [], message: "Volume is already exclusively attached to one node and can't be attached to another" },
  { users: [podNamed("a"), podNamed("b")], message: "Volume is already used by pod(s) a, b" },
  {
    users: [podNamed("a"), abroad("x")],
    message: "Volume is already used by pod(s) a and 1 pod(s) in different namespaces",
  },
  { users: [abroad("x"), abroad("y")], message: "Volume is already used by 2 pod(s) in different namespaces" },
];

for (const { users, message } of holders) {
  test(`pods are told, once, that: ${message}`, () => {
    const situation = { wanted: [once], elsewhere: () => [attachmentTo("n2", { attached: true })], users: () => users };
    const first = plan(situation);
    assert.deepEqual(texts(first), [`FailedAttachVolume: Multi-Attach error for volume "pv" ${message}`]);
    assert.deepEqual(plan({ ...situation, memories: first.memories }).events, []);
  });
}

test("what the driver says of a failure is told each time that it says it", () => {
  const failing = (time: string) => attachmentTo("n1", { attachError: { message: "no such disk", time } });
  const first = plan({ wanted: [once], own: failing("1") });
  assert.deepEqual(texts(first), ['FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no such disk']);
  const { memories } = first;
  assert.equal(plan({ wanted: [once], own: failing("1"), memories }).events.length, 0);
  assert.equal(plan({ wanted: [once], own: failing("2"), memories }).events.length, 1);
});

test("a driver that says nothing is told of after two minutes", () => {
  const first = plan({ wanted: [once], own: attachmentTo("n1") });
  assert.deepEqual([first.events, first.recheckMs], [[], attachLimitMs]);
  const { memories } = first;
  assert.deepEqual(texts(plan({ wanted: [once], own: attachmentTo("n1"), memories, nowMs: attachLimitMs })), [
    'FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : ' +
      "timed out waiting for external-attacher of d.example.com CSI driver to attach volume h",
  ]);
});

test("a volume that nobody wants is off the node's list before it is detached", () => {
  const own = attachmentTo("n1", { attached: true });
  const { detach, report } = plan({ own, node: node({ volumesAttached: ["foreign", listed] }) });
  assert.deepEqual(
    detach.map(({ force }) => force),
    [false],
  );
  assert.deepEqual(report, [{ name: "foreign", devicePath: "" }]);
});

test("a mounted volume stays, whatever the time, while its node is ready", () => {
  const own = attachmentTo("n1", { attached: true });
  const memories = new Map([[own.metadata.name, { unwantedSinceMs: 0 }]]);
  const listedNode = node({ volumesAttached: [listed] });
  const { detach, report, recheckMs } = plan({
    own,
    node: listedNode,
    inUse: () => true,
    memories,
    nowMs: unmountLimitMs,
  });
  assert.deepEqual([detach, report, recheckMs], [[], undefined, undefined]);
});

const lost = [
  { what: "is not ready", there: node({ ready: false }) },
  { what: "is gone", there: undefined },
];

for (const { what, there } of lost) {
  test(`a mounted volume of a node that ${what} is taken from it after six minutes`, () => {
    const own = attachmentTo("n1", { attached: true });
    const first = plan({ own, node: there, inUse: () => true, nowMs: 1000 });
    assert.deepEqual([first.detach, first.recheckMs], [[], unmountLimitMs]);
    const { memories } = first;
    const later = plan({ own, node: there, inUse: () => true, memories, nowMs: 1000 + unmountLimitMs });
    assert.deepEqual(
      later.detach.map(({ force }) => force),
      [true],
    );
  });
}

test("a node that is out of service is not waited for", () => {
  const there = node({ ready: false, taint: "node.kubernetes.io/out-of-service" });
  const { detach } = plan({ own: attachmentTo("n1", { attached: true }), node: there, inUse: () => true });
  assert.deepEqual(
    detach.map(({ force }) => force),
    [true],
  );
});

test("the clock of a volume starts anew when somebody wanted it in between", () => {
  const own = attachmentTo("n1", { attached: true });
  const memories = new Map([[own.metadata.name, { unwantedSinceMs: 0 }]]);
  assert.equal(plan({ own, wanted: [once], memories }).memories.size, 0);
});

test("names of volumes are read as they are written", () => {
  assert.deepEqual(namedVolume(listed), { name: listed, driver: "d.example.com", handle: "h" });
  assert.equal(namedVolume("kubernetes.io/iscsi/x"), undefined);
});
