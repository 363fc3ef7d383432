import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type OwnerReference,
  ownerReference,
  type PersistentVolumeClaim,
  Pods,
  type StatefulSet,
  StatefulSets,
} from "@skiff/api";
import { meta, podNamed } from "../fixtures/objects.ts";
import { belongsToFormerPod, ownersToSet } from "./claims.ts";

const setWith = (whenScaled: string, whenDeleted: string): StatefulSet => ({
  metadata: meta("web"),
  spec: {
    replicas: 1,
    selector: { matchLabels: {} },
    template: {},
    persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted },
  },
  status: { replicas: 0 },
});

const claimOf = (...ownerReferences: OwnerReference[]): PersistentVolumeClaim => ({
  metadata: { ...meta("data-web-0"), ownerReferences },
  spec: {},
  status: {},
});

const pod = podNamed("web-0");
const other = podNamed("web-1");
const theSet = ownerReference(StatefulSets, setWith("Retain", "Retain"));
const thePod = ownerReference(Pods, pod);
const theOther = ownerReference(Pods, other);
const config: OwnerReference = { apiVersion: "v1", kind: "ConfigMap", name: "c", uid: "uid-c" };
const controller: OwnerReference = { ...config, controller: true };

const cases: readonly (readonly [
  string,
  StatefulSet,
  readonly OwnerReference[],
  readonly OwnerReference[] | "keep",
])[] = [
  ["nobody where claims are kept", setWith("Retain", "Retain"), [theSet], []],
  ["the set where they go with it", setWith("Retain", "Delete"), [], [theSet]],
  ["nothing to do", setWith("Delete", "Delete"), [theSet], "keep"],
  ["others stay", setWith("Delete", "Delete"), [config], [config, theSet]],
  ["an owner becomes a controller", setWith("Delete", "Delete"), [{ ...theSet, controller: false }], [theSet]],
  ["a former set's is left alone", setWith("Delete", "Delete"), [{ ...theSet, uid: "old" }], "keep"],
  ["a former pod's is left alone", setWith("Delete", "Delete"), [theSet, { ...thePod, uid: "old" }], "keep"],
  ["another controller's is left alone", setWith("Delete", "Delete"), [controller], "keep"],
  ["and given up to it", setWith("Delete", "Delete"), [theSet, controller], [controller]],
  ["which is no matter where claims are kept", setWith("Retain", "Retain"), [theSet, controller], [controller]],
];

for (const [title, set, present, expected] of cases) {
  test(`owners of claims: ${title}`, () => {
    const wanted = ownersToSet(set, claimOf(...present), { ordinal: 0, pod });
    assert.deepEqual(wanted.kind === "keep" ? "keep" : wanted.owners, expected);
    const conflict = wanted.kind === "set" && wanted.conflict;
    assert.equal(conflict, title === "and given up to it");
  });
}

test("a surplus pod takes its claim along", () => {
  const set = setWith("Delete", "Delete");
  const wanted = ownersToSet(set, claimOf(theSet), { ordinal: 1, pod: other });
  assert.deepEqual(wanted, { kind: "set", owners: [theOther], conflict: false });
  assert.equal(belongsToFormerPod(set, claimOf(theOther), "web-1"), true);
  assert.equal(belongsToFormerPod(setWith("Retain", "Delete"), claimOf(theOther), "web-1"), false);
  assert.equal(belongsToFormerPod(set, claimOf(theSet), "web-1"), false);
});
