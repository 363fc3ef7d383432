import assert from "node:assert/strict";
import { test } from "node:test";
import { type Namespace, Pods, Secrets } from "@skiff/api";
import { meta } from "../fixtures/objects.ts";
import { deletionConditions } from "./plan.ts";

const namespace: Namespace = { metadata: meta("shop"), spec: {}, status: {} };
const nothing = { namespace, remains: [], failures: [], unknown: [], nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) };
const held = (...finalizers: string[]) => ({ metadata: { ...meta("o"), finalizers } });

const cases: readonly {
  readonly why: string;
  readonly observed: Omit<Parameters<typeof deletionConditions>[0], "namespace" | "nowMs">;
  readonly expected: readonly string[];
}[] = [
  {
    why: "nothing is wrong",
    observed: nothing,
    expected: [
      "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered",
      "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed",
      "NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization",
      "NamespaceContentRemaining False ContentRemoved: All content successfully removed",
      "NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished",
    ],
  },
  {
    why: "objects are held",
    observed: {
      ...nothing,
      remains: [
        { resource: Secrets, objects: [held("b.example.com/x", "a.example.com/x"), held("a.example.com/x")] },
        { resource: Pods, objects: [held()] },
      ],
    },
    expected: [
      "NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: pods. has 1 resource instances, secrets. has 2 resource instances",
      "NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: a.example.com/x in 2 resource instances, b.example.com/x in 1 resource instances",
    ],
  },
  {
    why: "objects cannot be deleted",
    observed: {
      ...nothing,
      failures: [
        { resource: Secrets, message: "no secrets" },
        { resource: Pods, message: "disk full" },
      ],
    },
    expected: [
      "NamespaceDeletionContentFailure True ContentDeletionFailed: Failed to delete all resource types, 2 remaining: disk full, no secrets",
    ],
  },
  {
    why: "a server does not answer",
    observed: { ...nothing, unknown: [{ group: "wardle.example.com", version: "v1" }] },
    expected: [
      "NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: wardle.example.com/v1: stale GroupVersion discovery: wardle.example.com/v1",
    ],
  },
];

for (const { why, observed, expected } of cases) {
  test(`conditions when ${why}`, () => {
    const conditions = deletionConditions({ ...nothing, ...observed });
    const texts = conditions.map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
    for (const text of expected) assert.ok(texts.includes(text), `${text}\namong\n${texts.join("\n")}`);
    const again = deletionConditions({ ...nothing, ...observed, namespace: { ...namespace, status: { conditions } } });
    assert.deepEqual(again, conditions);
  });
}
