import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../field-error.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import { Nodes, Pods } from "../kinds/definitions.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "./object-meta.ts";

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "a", uid: "1" };

const created: readonly { readonly name: string; readonly metadata: ObjectMeta; readonly texts: readonly string[] }[] =
  [
    { name: "fine", metadata: { labels: { a: "b" }, finalizers: ["kubernetes", "x.io/y"] }, texts: [] },
    {
      name: "no name",
      metadata: { name: "" },
      texts: ["metadata.name: Required value: name or generateName is required"],
    },
    { name: "no namespace", metadata: { namespace: "" }, texts: ["metadata.namespace: Required value"] },
    {
      name: "generation below zero",
      metadata: { generation: -1 },
      texts: ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
    },
    {
      name: "too many annotations",
      metadata: { annotations: { a: "x".repeat(262_144) } },
      texts: ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    },
    { name: "annotations in upper case", metadata: { annotations: { "Example.com/A": "" } }, texts: [] },
    {
      name: "an owner that nobody can find",
      metadata: { ownerReferences: [{ ...owner, uid: "", apiVersion: "" }] },
      texts: [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    },
    {
      name: "a finalizer of nobody",
      metadata: { finalizers: ["mine"] },
      texts: [
        'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
      ],
    },
    {
      name: "finalizers that contradict each other",
      metadata: { finalizers: ["orphan", "foregroundDeletion"] },
      texts: [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    },
  ];

for (const { name, metadata, texts } of created) {
  test(`new metadata: ${name}`, () => {
    const found = validateObjectMeta(Pods, { name: "a", namespace: "default", ...metadata });
    assert.deepEqual(found.map(fieldErrorText), texts);
  });
}

test("two controllers are one too many", () => {
  const ownerReferences = [
    { ...owner, controller: true },
    { ...owner, name: "b", controller: true },
  ];
  const [found, ...more] = validateObjectMeta(Pods, { name: "a", namespace: "default", ownerReferences });
  assert.equal(
    found?.detail,
    'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/a and ReplicaSet/b',
  );
  assert.equal(more.length, 0);
});

test("kinds without a namespace have none", () => {
  const found = validateObjectMeta(Nodes, { name: "a", namespace: "default" });
  assert.deepEqual(found.map(fieldErrorText), ["metadata.namespace: Forbidden: not allowed on this type"]);
});

const old: ObjectMeta = {
  name: "a",
  namespace: "default",
  uid: "1",
  resourceVersion: "5",
  generation: 2,
  creationTimestamp: "2026-01-02T03:04:05Z",
};

const changes: readonly { readonly name: string; readonly change: ObjectMeta; readonly texts: readonly string[] }[] = [
  { name: "labels", change: { labels: { a: "b" } }, texts: [] },
  { name: "uid", change: { uid: "2" }, texts: ['metadata.uid: Invalid value: "2": field is immutable'] },
  {
    name: "creation",
    change: { creationTimestamp: "2026-01-02T03:04:06Z" },
    texts: ['metadata.creationTimestamp: Invalid value: "2026-01-02T03:04:06Z": field is immutable'],
  },
  {
    name: "no version",
    change: { resourceVersion: "" },
    texts: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
  },
  {
    name: "generation",
    change: { generation: 1 },
    texts: ["metadata.generation: Invalid value: 1: must not be decremented"],
  },
];

for (const { name, change, texts } of changes) {
  test(`changed metadata: ${name}`, () => {
    const found = validateObjectMetaUpdate(Pods, { ...old, ...change }, old);
    assert.deepEqual(found.map(fieldErrorText), texts);
  });
}

test("what is being deleted gets no new finalizers", () => {
  const dying = { ...old, deletionTimestamp: "2026-01-02T03:04:07Z", finalizers: ["x.io/a"] };
  const found = validateObjectMetaUpdate(Pods, { ...dying, finalizers: ["x.io/a", "x.io/b"] }, dying);
  assert.deepEqual(found.map(fieldErrorText), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/b"}',
  ]);
});

test("what an update leaves as it was is not looked at again", () => {
  const labels = { "no good!": "" };
  const before = { ...old, labels };
  assert.deepEqual(validateObjectMetaUpdate(Pods, { ...before, annotations: { a: "b" } }, before), []);
  const [found] = validateObjectMetaUpdate(Pods, { ...before, labels: { ...labels } }, before);
  assert.equal(found?.field, "metadata.labels");
});
