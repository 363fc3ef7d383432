import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "@skiff/api";
import { boundStatus, claimBoundTo, volumeBoundTo } from "./bind.ts";
import { type ClaimSurroundings, planClaim } from "./claim-plan.ts";
import { bestVolume, mismatch } from "./match.ts";
import { planVolume, unbound } from "./volume-plan.ts";
import { bindCompleted, boundByController, provisionedBy, selectedNode } from "./words.ts";

const meta = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});

interface VolumeFacts {
  readonly size?: string;
  readonly modes?: string[];
  readonly phase?: string;
  readonly spec?: Partial<PersistentVolume["spec"]>;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
}

const pv = (name: string, facts: VolumeFacts = {}): PersistentVolume => ({
  metadata: meta(name, { annotations: facts.annotations, labels: facts.labels }),
  spec: {
    capacity: { storage: facts.size ?? "1Gi" },
    accessModes: facts.modes ?? ["ReadWriteOnce"],
    hostPath: { path: `/tmp/${name}` },
    ...facts.spec,
  },
  status: { phase: facts.phase ?? "Available" },
});

const claim = (
  spec: Partial<PersistentVolumeClaim["spec"]> = {},
  annotations?: Record<string, string>,
): PersistentVolumeClaim => ({
  metadata: { ...meta("c"), namespace: "default", annotations },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "",
    ...spec,
  },
  status: { phase: "Pending" },
});

const reference = (uid?: string) => ({ namespace: "default", name: "c", uid });
const other = { namespace: "default", name: "d", uid: "uid-d" };

const around = (
  volumes: readonly PersistentVolume[],
  more: {
    readonly classes?: readonly StorageClass[];
    readonly byDefault?: string;
    readonly pods?: readonly string[];
  } = {},
): ClaimSurroundings => ({
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  volumes: () => volumes,
  storageClass: (name) => more.classes?.find(({ metadata }) => metadata.name === name),
  defaultClass: () => more.byDefault,
  waitingPods: () => more.pods ?? [],
});

const storageClass = (name: string, provisioner: string, volumeBindingMode = "Immediate"): StorageClass => ({
  metadata: meta(name),
  provisioner,
  volumeBindingMode,
});

test("the best volume is kept for the claim, or has the fewest modes and then the smallest size", () => {
  const names = (volumes: readonly PersistentVolume[], wanted = claim()) =>
    bestVolume(wanted, volumes, { keptOnly: false })?.metadata.name;
  const many = ["ReadWriteOnce", "ReadOnlyMany"];
  const cases: readonly [string, readonly PersistentVolume[], PersistentVolumeClaim, string | undefined][] = [
    ["smallest", [pv("big", { size: "5Gi" }), pv("fits", { size: "2Gi" })], claim(), "fits"],
    ["too small", [pv("a", { size: "500Mi" })], claim(), undefined],
    ["fewest modes", [pv("many", { modes: many }), pv("one", { size: "9Gi" })], claim(), "one"],
    ["all modes", [pv("one"), pv("many", { modes: many })], claim({ accessModes: many }), "many"],
    ["not available yet", [pv("a", { phase: "Pending" })], claim(), undefined],
    ["somebody else's", [pv("a", { spec: { claimRef: other } })], claim(), undefined],
    ["kept", [pv("a"), pv("b", { size: "9Gi", spec: { claimRef: reference() } })], claim(), "b"],
    ["another mode", [pv("a", { spec: { volumeMode: "Block" } })], claim(), undefined],
    ["block", [pv("a", { spec: { volumeMode: "Block" } })], claim({ volumeMode: "Block" }), "a"],
    ["another class", [pv("a", { spec: { storageClassName: "x" } })], claim(), undefined],
    ["its class", [pv("a", { spec: { storageClassName: "x" } })], claim({ storageClassName: "x" }), "a"],
    ["selector", [pv("a"), pv("b", { labels: { k: "v" } })], claim({ selector: { matchLabels: { k: "v" } } }), "b"],
    [
      "once per pod",
      [pv("a"), pv("b", { modes: ["ReadWriteOncePod"] })],
      claim({ accessModes: ["ReadWriteOncePod"] }),
      "b",
    ],
  ];
  for (const [what, volumes, wanted, name] of cases) assert.equal(names(volumes, wanted), name, what);
});

test("what a claim that names its volume cannot have", () => {
  const why = (volume: PersistentVolume, wanted = claim()) => mismatch(volume, wanted);
  assert.equal(why(pv("a")), undefined);
  assert.equal(why(pv("a", { size: "1Mi" })), "requested PV is too small");
  assert.equal(why(pv("a", { spec: { storageClassName: "x" } })), "storageClassName does not match");
  assert.equal(why(pv("a", { spec: { volumeMode: "Block" } })), "incompatible volumeMode");
  assert.equal(why(pv("a", { modes: ["ReadOnlyMany"] })), "incompatible accessMode");
});

test("claims: bound, waiting, provisioned or lost", () => {
  const slow = storageClass("slow", "x.example.com", "WaitForFirstConsumer");
  const fast = storageClass("fast", "x.example.com");
  const old = storageClass("old", "kubernetes.io/no-provisioner");
  const classes = [slow, fast, old];
  const plan = (wanted: PersistentVolumeClaim, with_: ClaimSurroundings) => {
    const made = planClaim(wanted, with_);
    if (made.kind === "bind") return `bind ${made.volume.metadata.name}`;
    if (made.kind === "take class") return `take ${made.name}`;
    const event = made.event === undefined ? "" : ` ${made.event.type} ${made.event.reason}: ${made.event.message}`;
    return `${made.kind}${event}`;
  };
  const completed = { [bindCompleted]: "yes" };
  const named = (name: string, annotations?: Record<string, string>) => claim({ volumeName: name }, annotations);
  const cases: readonly [PersistentVolumeClaim, ClaimSurroundings, string][] = [
    [claim(), around([pv("a")]), "bind a"],
    [
      claim(),
      around([]),
      "pending Normal FailedBinding: no persistent volumes available for this claim and no storage class is set",
    ],
    [claim({ storageClassName: undefined }), around([], { byDefault: "fast", classes }), "take fast"],
    [
      claim(),
      around([], { byDefault: "fast", classes }),
      "pending Normal FailedBinding: no persistent volumes available for this claim and no storage class is set",
    ],
    [
      claim({ storageClassName: "none" }),
      around([], { classes }),
      'pending Warning ProvisioningFailed: storageclass.storage.k8s.io "none" not found',
    ],
    [
      claim({ storageClassName: "old" }),
      around([], { classes }),
      "pending Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner",
    ],
    [
      claim({ storageClassName: "fast" }),
      around([], { classes }),
      "provision Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'x.example.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    ],
    [
      claim({ storageClassName: "slow" }),
      around([pv("a", { spec: { storageClassName: "slow" } })], { classes }),
      "pending Normal WaitForFirstConsumer: waiting for first consumer to be created before binding",
    ],
    [
      claim({ storageClassName: "slow" }),
      around([], { classes, pods: ["p", "q"] }),
      "pending Normal WaitForPodScheduled: waiting for pods p,q to be scheduled",
    ],
    [
      claim({ storageClassName: "slow" }, { [selectedNode]: "n" }),
      around([pv("a", { spec: { storageClassName: "slow" } })], { classes }),
      "bind a",
    ],
    [
      claim({ storageClassName: "slow" }),
      around([pv("a", { spec: { storageClassName: "slow", claimRef: reference() } })], { classes }),
      "bind a",
    ],
    [named("a"), around([]), "pending"],
    [named("a"), around([pv("a")]), "bind a"],
    [
      named("a"),
      around([pv("a", { size: "1Mi" })]),
      'pending Warning VolumeMismatch: Cannot bind to requested volume "a": requested PV is too small',
    ],
    [
      named("a"),
      around([pv("a", { spec: { claimRef: other } })]),
      'pending Warning FailedBinding: volume "a" already bound to a different claim.',
    ],
    [named("a"), around([pv("a", { spec: { claimRef: reference("uid-c") } })]), "bind a"],
    [
      claim({}, completed),
      around([]),
      "lost Warning ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    ],
    [
      named("a", completed),
      around([]),
      "lost Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    ],
    [
      named("a", completed),
      around([pv("a", { spec: { claimRef: other } })]),
      "lost Warning ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly",
    ],
    [named("a", completed), around([pv("a", { spec: { claimRef: reference("uid-c") } })]), "bind a"],
  ];
  for (const [wanted, with_, text] of cases) assert.equal(plan(wanted, with_), text);
});

test("both halves of a binding say who bound them, and are written once", () => {
  const held = volumeBoundTo(pv("a"), claim());
  assert.equal(held.metadata.annotations?.[boundByController], "yes");
  assert.deepEqual(held.spec.claimRef, {
    kind: "PersistentVolumeClaim",
    apiVersion: "v1",
    namespace: "default",
    name: "c",
    uid: "uid-c",
    resourceVersion: "1",
  });
  assert.equal(volumeBoundTo(held, claim()), held);
  const kept = volumeBoundTo(pv("a", { spec: { claimRef: reference() } }), claim());
  assert.equal(kept.metadata.annotations?.[boundByController], undefined);
  const bound = claimBoundTo(claim(), held);
  assert.deepEqual(bound.metadata.annotations, { [boundByController]: "yes", [bindCompleted]: "yes" });
  assert.equal(claimBoundTo(bound, held), bound);
  assert.deepEqual(claimBoundTo(claim({ volumeName: "a" }), held).metadata.annotations, { [bindCompleted]: "yes" });
  const status = boundStatus(bound, pv("a", { size: "2Gi" }));
  assert.deepEqual(status, { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "2Gi" } });
  assert.deepEqual(boundStatus({ ...bound, status }, pv("a", { size: "9Gi" })), status, "growing is the resizer's");
});

test("volumes without their claim are kept, recycled, deleted or fail, as they say", () => {
  const policy = (persistentVolumeReclaimPolicy: string, more: Partial<PersistentVolume["spec"]> = {}) => ({
    persistentVolumeReclaimPolicy,
    claimRef: reference("uid-c"),
    ...more,
  });
  const plan = (facts: VolumeFacts, of?: PersistentVolumeClaim) => planVolume(pv("a", facts), of);
  assert.deepEqual(plan({}), { kind: "phase", phase: "Available" });
  assert.deepEqual(plan({ spec: { claimRef: reference() } }), { kind: "phase", phase: "Available" });
  const bound = { spec: policy("Retain") };
  assert.deepEqual(plan(bound, claim({ volumeName: "a" })), { kind: "phase", phase: "Bound" });
  assert.deepEqual(plan(bound, claim()), { kind: "nothing" });
  assert.deepEqual(plan(bound, claim({ volumeName: "b" })), { kind: "unbind" });
  const by = (facts: VolumeFacts) => {
    const made = plan(facts);
    assert(made.kind === "reclaim");
    return made.by;
  };
  assert.deepEqual(by(bound), { kind: "retain" });
  assert.deepEqual(by({ spec: policy("Recycle") }), { kind: "recycle" });
  const local = { hostPath: undefined, local: { path: "/x" } };
  assert.equal(by({ spec: policy("Recycle", local) }).kind, "fail");
  assert.deepEqual(by({ spec: policy("Delete") }), { kind: "delete path", path: "/tmp/a" });
  assert.deepEqual(by({ spec: policy("Delete", { hostPath: { path: "/tmp/../etc" } }) }), {
    kind: "fail",
    reason: "VolumeFailedDelete",
    message: "host_path deleter only supports /tmp/.+ but received provided /tmp/../etc",
  });
  assert.deepEqual(by({ spec: policy("Delete", local) }), {
    kind: "fail",
    reason: "VolumeFailedDelete",
    message: 'error getting deleter volume plugin for volume "a": no deletable volume plugin matched',
  });
  const made = { annotations: { [provisionedBy]: "x.example.com" } };
  assert.deepEqual(by({ spec: policy("Delete"), ...made }), { kind: "delete elsewhere" });
  assert.equal(plan({ spec: policy("Delete"), ...made }, claim({ volumeName: "b" })).kind, "reclaim");
});

test("a volume that is let go is as it was: free, or still kept for its claim", () => {
  const spec = { claimRef: reference("uid-c") };
  const free = unbound(pv("a", { spec, annotations: { [boundByController]: "yes", mine: "x" } }));
  assert.equal(free.spec.claimRef, undefined);
  assert.deepEqual(free.metadata.annotations, { mine: "x" });
  assert.deepEqual(unbound(pv("a", { spec })).spec.claimRef, { namespace: "default", name: "c" });
});
