import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CSIDrivers,
  CSINodes,
  CSIStorageCapacities,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  StorageClasses,
  type Volume,
  VolumeAttachments,
} from "@skiff/api";
import { seededRandom } from "@skiff/base";
import type { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState } from "../cluster-state.ts";
import { decideOn } from "../fixtures/decide-on.ts";
import { node, pod } from "../fixtures/objects.ts";
import { claim, csiNode, storageClass, storageInformers, volume } from "../fixtures/storage.ts";
import { type ClusterEvent, hintMatches, type Plugin } from "../framework.ts";
import { defaultCandidateLimits } from "../preemption/candidate-limits.ts";
import { planPreemption } from "../preemption/plan-preemption.ts";
import { VictimCache } from "../preemption/victim-cache.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";
import { volumeBinding } from "./volume-binding.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";
import { volumeZone } from "./volume-zone.ts";

const using = (name: string, ...claims: readonly string[]): Pod =>
  pod(name, { volumes: claims.map((claimName, at) => ({ name: `v${at}`, persistentVolumeClaim: { claimName } })) });
const mounting = (name: string, ...volumes: readonly Partial<Volume>[]): Pod =>
  pod(name, { volumes: volumes.map((one, at) => ({ name: `v${at}`, ...one })) });

function clusterOf(nodes: Record<string, readonly Pod[]>, labels: Record<string, Record<string, string>> = {}) {
  const state = new ClusterState();
  for (const [name, pods] of Object.entries(nodes)) {
    state.putNode(node(name, { labels: labels[name] ?? {} }));
    for (const one of pods) state.putPod({ ...one, spec: { ...one.spec, nodeName: name } });
  }
  return state;
}

/** `NODE: PLUGIN: REASON` for each node that will not do; a node that is left out would. */
function rejections(one: Pod, state: ClusterState, informers: MemoryInformers): Readonly<Record<string, string>> {
  const { rejections: found } = decideOn(one, state, { informers });
  return Object.fromEntries([...found].map(([name, { plugin, reason }]) => [name, `${plugin}: ${reason}`]));
}

const retried = (plugin: Plugin, one: Pod, event: ClusterEvent): boolean =>
  plugin.retryOn.some((hint) => hintMatches(hint, event, one));

describe("VolumeRestrictions", () => {
  const disk = (pdName: string, readOnly = false) => ({ gcePersistentDisk: { pdName, readOnly } });
  const store = (volumeID: string, readOnly = false) => ({ awsElasticBlockStore: { volumeID, readOnly } });
  const target = (iqn: string, readOnly = false) => ({ iscsi: { iqn, lun: 0, targetPortal: "192.0.2.1", readOnly } });
  const image = (name: string, monitors: string[], more: { pool?: string; readOnly?: boolean } = {}) => ({
    rbd: { image: name, monitors, ...more },
  });
  const table: readonly (readonly [string, Partial<Volume>, Partial<Volume>, boolean])[] = [
    ["a disk that another has", disk("d"), disk("d"), true],
    ["another disk", disk("d"), disk("e"), false],
    ["a disk that both only read", disk("d", true), disk("d", true), false],
    ["a disk that one of them reads", disk("d", true), disk("d"), true],
    ["a block store, even if both read it", store("s", true), store("s", true), true],
    ["a target", target("iqn.a"), target("iqn.a"), true],
    ["a target that both read", target("iqn.a", true), target("iqn.a", true), false],
    ["an image known by one monitor of several", image("i", ["a", "b"]), image("i", ["b", "c"]), true],
    ["an image of other monitors", image("i", ["a"]), image("i", ["b"]), false],
    ["an image of another pool", image("i", ["a"], { pool: "p" }), image("i", ["a"]), false],
    ["an image that both read", image("i", ["a"], { readOnly: true }), image("i", ["a"], { readOnly: true }), false],
    ["a disk and a store of one name", disk("x"), store("x"), false],
  ];
  for (const [what, mine, theirs, clashes] of table) {
    it(`${what}: ${clashes ? "clashes on that node" : "fits"}`, () => {
      const state = clusterOf({ a: [mounting("q", theirs)], b: [] });
      const refusal = clashes ? { a: "VolumeRestrictions: node(s) had no available disk" } : {};
      assert.deepEqual(rejections(mounting("p", mine), state, storageInformers({})), refusal);
      const gone = { kind: "podGone", gone: mounting("q", theirs) } as const;
      assert.equal(retried(volumeRestrictions, mounting("p", mine), gone), clashes);
    });
  }

  const once = claim("once", { accessModes: ["ReadWriteOncePod"], volumeName: "v" });
  const shared = claim("shared", { volumeName: "w" });
  const informers = storageInformers({ claims: [once, shared], volumes: [volume("v"), volume("w")] });
  const taken =
    "VolumeRestrictions: node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
  it("a claim for one pod keeps others off every node; other claims do not", () => {
    const state = clusterOf({ a: [using("q", "once", "shared")], b: [] });
    assert.deepEqual(rejections(using("p", "once"), state, informers), { a: taken, b: taken });
    assert.deepEqual(rejections(using("p", "shared"), state, informers), {});
    const elsewhere = using("p", "once");
    elsewhere.metadata.namespace = "other";
    const reason = '0: VolumeRestrictions: persistentvolumeclaim "once" not found';
    assert.equal(`0: ${rejections(elsewhere, state, informers).a}`, reason);
  });
  it("a claim for one pod is taken as soon as the pod is placed, and free when it goes", () => {
    const state = clusterOf({ a: [], b: [] });
    state.assume(using("q", "once"), "a");
    assert.deepEqual(rejections(using("p", "once"), state, informers), { a: taken, b: taken });
    state.forget("uid-q");
    assert.deepEqual(rejections(using("p", "once"), state, informers), {});
    assert.equal(retried(volumeRestrictions, using("p", "once"), { kind: "podGone", gone: using("q", "once") }), true);
    assert.equal(retried(volumeRestrictions, using("p", "once"), { kind: "podGone", gone: using("q", "x") }), false);
  });
  it("a more important pod takes it from the one that has it, wherever that is", () => {
    const less = using("q", "once");
    const state = clusterOf({ a: [pod("x"), less], b: [pod("y")] });
    const important = using("p", "once");
    important.spec.priority = 10;
    const { decided } = decideOn(important, state, { informers });
    const plan = planPreemption(important, {
      decided,
      state,
      budgets: [],
      random: seededRandom(1),
      limits: defaultCandidateLimits,
      cache: new VictimCache(),
    });
    assert.equal(plan.kind, "preempt");
    if (plan.kind !== "preempt") return;
    assert.equal(plan.candidate.node.name, "a");
    assert.deepEqual(
      plan.candidate.victims.map(({ metadata }) => metadata.name),
      ["q"],
    );
  });
});

describe("NodeVolumeLimits", () => {
  const driver = "disk.example.com";
  const csi = (volumeHandle: string, name = driver) => ({ csi: { driver: name, volumeHandle } });
  const claims = ["a", "b", "c", "d"].map((name) => claim(name, { volumeName: `v-${name}` }));
  const volumes = ["a", "b", "c", "d"].map((name) => volume(`v-${name}`, csi(name)));
  const other = [claim("other", { volumeName: "v-other" }), claim("local", { volumeName: "v-local" })];
  const otherVolumes = [volume("v-other", csi("a", "other.example.com")), volume("v-local", { local: { path: "/" } })];
  const storage = (limit: number) =>
    storageInformers({
      claims: [
        ...claims,
        ...other,
        claim("new", { storageClassName: "late" }),
        claim("new-2", { storageClassName: "late" }),
      ],
      volumes: [...volumes, ...otherVolumes],
      classes: [storageClass("late")],
      csiNodes: [csiNode("n", { [driver]: limit })],
    });
  const full = { n: "NodeVolumeLimits: node(s) exceed max volume count" };
  const table: readonly (readonly [string, Pod, readonly Pod[], number, boolean])[] = [
    ["as many as there may be", using("p", "b"), [using("q", "a")], 2, true],
    ["one more", using("p", "c"), [using("q", "a", "b")], 2, false],
    ["several at once", using("p", "b", "c"), [using("q", "a")], 2, false],
    ["one that is there already", using("p", "a"), [using("q", "a", "b")], 2, true],
    ["one and one that is there already", using("p", "a", "c"), [using("q", "a", "b")], 2, false],
    ["volumes of another driver", using("p", "other"), [using("q", "a", "b")], 2, true],
    ["volumes of no driver", using("p", "local"), [using("q", "a", "b")], 2, true],
    ["no volumes", pod("p"), [using("q", "a", "b", "c")], 2, true],
    ["claims of a class of the driver", using("p", "new"), [using("q", "a", "b")], 2, false],
    ["claims that wait beside it", using("p", "a"), [using("q", "new", "new-2")], 2, false],
    ["a limit of none", using("p", "a"), [], 0, false],
  ];
  for (const [what, one, pods, limit, fit] of table) {
    it(`${what}: ${fit ? "fits" : "is too many"}`, () => {
      assert.deepEqual(rejections(one, clusterOf({ n: pods }), storage(limit)), fit ? {} : full);
    });
  }
  it("counts attachments that no pod needs any more", () => {
    const informers = storage(2);
    const attachment = (name: string, persistentVolumeName: string) => ({
      metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { attacher: driver, nodeName: "n", source: { persistentVolumeName } },
      status: { attached: true },
    });
    informers.for(VolumeAttachments).put(attachment("x", "v-a"));
    const state = clusterOf({ n: [using("q", "a")] });
    assert.deepEqual(rejections(using("p", "c"), state, informers), {});
    informers.for(VolumeAttachments).put(attachment("y", "v-b"));
    assert.deepEqual(rejections(using("p", "c"), state, informers), full);
  });
  it("does not limit nodes whose drivers say nothing", () => {
    const informers = storage(0);
    informers.for(CSINodes).remove("n");
    assert.deepEqual(rejections(using("p", "a"), clusterOf({ n: [] }), informers), {});
  });
  it("tries again when there may be room", () => {
    const plugin = nodeVolumeLimits();
    const object = csiNode("n", { [driver]: 2 });
    const changed = (old: number): ClusterEvent => ({
      kind: "object",
      resource: CSINodes,
      change: { kind: "updated", object, old: csiNode("n", { [driver]: old }) },
    });
    assert.equal(retried(plugin, using("p", "a"), changed(1)), true);
    assert.equal(retried(plugin, using("p", "a"), changed(2)), false);
    assert.equal(retried(plugin, using("p", "a"), { kind: "podGone", gone: using("q", "b") }), true);
    assert.equal(retried(plugin, using("p", "a"), { kind: "podGone", gone: pod("q") }), false);
  });
});

describe("VolumeZone", () => {
  const zone = "topology.kubernetes.io/zone";
  const region = "topology.kubernetes.io/region";
  const old = "failure-domain.beta.kubernetes.io/zone";
  const refusal = "VolumeZone: node(s) had no available volume zone";
  const table: readonly (readonly [string, Record<string, string>, Record<string, string>, boolean])[] = [
    ["in the zone", { [zone]: "a" }, { [zone]: "a" }, true],
    ["in another zone", { [zone]: "a" }, { [zone]: "b" }, false],
    ["in one of several zones", { [zone]: "a__b" }, { [zone]: "b" }, true],
    ["in the zone, another region", { [zone]: "a", [region]: "r" }, { [zone]: "a", [region]: "s" }, false],
    ["in the region, the node says no zone", { [zone]: "a" }, { [region]: "r" }, false],
    ["by the old label of the volume", { [old]: "a" }, { [zone]: "a" }, true],
    ["by the old label of the node", { [zone]: "a" }, { [old]: "a" }, false],
    ["on a node that is nowhere", { [zone]: "a" }, {}, true],
    ["a volume that is nowhere", {}, { [zone]: "a" }, true],
  ];
  for (const [what, ofVolume, ofNode, fit] of table) {
    it(`${what}: ${fit ? "fits" : "does not"}`, () => {
      const informers = storageInformers({
        claims: [claim("c", { volumeName: "v" })],
        volumes: [volume("v", {}, ofVolume)],
      });
      assert.deepEqual(
        rejections(using("p", "c"), clusterOf({ n: [] }, { n: ofNode }), informers),
        fit ? {} : { n: refusal },
      );
    });
  }
  it("says what is missing", () => {
    const informers = storageInformers({ claims: [claim("c", { volumeName: "v" })] });
    const { n } = rejections(using("p", "c"), clusterOf({ n: [] }), informers);
    assert.equal(n, 'VolumeZone: persistentvolume "v" not found');
  });
  it("tries again when the volume's place changes, not at every report of it", () => {
    const changed = (labels: Record<string, string>): ClusterEvent => ({
      kind: "object",
      resource: PersistentVolumes,
      change: { kind: "updated", object: volume("v", {}, { [zone]: "a" }), old: volume("v", {}, labels) },
    });
    assert.equal(retried(volumeZone, using("p", "c"), changed({ [zone]: "b" })), true);
    assert.equal(retried(volumeZone, using("p", "c"), changed({ [zone]: "a" })), false);
    const added = (mode: string): ClusterEvent => ({
      kind: "object",
      resource: StorageClasses,
      change: { kind: "added", object: storageClass("s", { volumeBindingMode: mode }) },
    });
    assert.equal(retried(volumeZone, using("p", "c"), added("WaitForFirstConsumer")), true);
    assert.equal(retried(volumeZone, using("p", "c"), added("Immediate")), false);
  });
});

describe("VolumeBinding and the capacity of drivers", () => {
  const meta = (name: string) => ({
    name,
    namespace: "kube-system",
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  });
  const on = (value: string) => ({ matchLabels: { host: value } });
  const state = () => clusterOf({ a: [], b: [] }, { a: { host: "a" }, b: { host: "b" } });
  function storage(storageCapacity: boolean) {
    const informers = storageInformers({
      claims: [claim("c", { storageClassName: "late", storage: "10Gi" })],
      classes: [storageClass("late")],
    });
    const { namespace: _, ...metadata } = meta("disk.example.com");
    informers.for(CSIDrivers).put({ metadata, spec: { storageCapacity } });
    return informers;
  }
  const capacity = (
    name: string,
    sizes: { capacity?: string; maximumVolumeSize?: string },
    storageClassName = "late",
  ) => ({
    metadata: meta(name),
    storageClassName,
    nodeTopology: on(name),
    ...sizes,
  });
  const noSpace = "VolumeBinding: node(s) did not have enough free storage";
  it("is not asked of drivers that do not tell", () => {
    assert.deepEqual(rejections(using("p", "c"), state(), storage(false)), {});
  });
  const table: readonly (readonly [string, readonly ReturnType<typeof capacity>[], string])[] = [
    ["nobody has told of any", [], "a b"],
    ["there is room on one", [capacity("a", { capacity: "10Gi" }), capacity("b", { capacity: "9Gi" })], "b"],
    [
      "there is room, but not for one volume of that size",
      [capacity("a", { capacity: "1Ti", maximumVolumeSize: "5Gi" })],
      "a b",
    ],
    ["there is room of another class", [capacity("a", { capacity: "1Ti" }, "other")], "a b"],
    ["how much there is is not known", [capacity("a", {})], "a b"],
  ];
  for (const [what, capacities, refused] of table) {
    it(`${what}: not on ${refused}`, () => {
      const informers = storage(true);
      for (const one of capacities) informers.for(CSIStorageCapacities).put(one);
      const found = rejections(using("p", "c"), state(), informers);
      assert.deepEqual(found, Object.fromEntries(refused.split(" ").map((name) => [name, noSpace])));
    });
  }
  it("says all that keeps a pod away", () => {
    const informers = storage(true);
    const terms = [{ matchExpressions: [{ key: "host", operator: "In", values: ["a"] }] }];
    informers.for(PersistentVolumes).put(volume("v", { nodeAffinity: { required: { nodeSelectorTerms: terms } } }));
    informers.for(PersistentVolumeClaims).put(claim("d", { volumeName: "v" }));
    assert.deepEqual(rejections(using("p", "c", "d"), state(), informers), {
      a: noSpace,
      b: "VolumeBinding: node(s) didn't match PersistentVolume's node affinity\nnode(s) did not have enough free storage",
    });
  });
  it("tries again when there is more room", () => {
    const changed = (old: string, now: string): ClusterEvent => ({
      kind: "object",
      resource: CSIStorageCapacities,
      change: { kind: "updated", object: capacity("a", { capacity: now }), old: capacity("a", { capacity: old }) },
    });
    const plugin = volumeBinding();
    assert.equal(retried(plugin, using("p", "c"), changed("1Gi", "2Gi")), true);
    assert.equal(retried(plugin, using("p", "c"), changed("2Gi", "2Gi")), false);
    assert.equal(retried(plugin, using("p", "c"), changed("2Gi", "1Gi")), false);
  });
});
