import assert from "node:assert/strict";
import { test } from "node:test";
import { meta } from "../fixtures/objects.ts";
import { judge, type OwnerState, type Verdict } from "./plan.ts";

const cases: readonly {
  readonly owners: readonly OwnerState[];
  readonly finalizers?: string[];
  readonly dependents?: boolean;
  readonly expected: Verdict;
}[] = [
  { owners: [], expected: { kind: "keep" } },
  { owners: ["solid"], expected: { kind: "keep" } },
  { owners: ["absent"], expected: { kind: "delete", policy: "Background" } },
  { owners: ["solid", "absent", "waiting"], expected: { kind: "unlink", uids: ["1", "2"] } },
  { owners: ["waiting"], expected: { kind: "delete", policy: "Background" } },
  { owners: ["waiting"], dependents: true, expected: { kind: "delete", policy: "Foreground" } },
  { owners: ["absent"], dependents: true, expected: { kind: "delete", policy: "Background" } },
  { owners: ["absent"], finalizers: ["orphan"], expected: { kind: "delete", policy: "Orphan" } },
  { owners: ["absent"], finalizers: ["foregroundDeletion"], expected: { kind: "delete", policy: "Foreground" } },
];

for (const { owners, finalizers, dependents = false, expected } of cases) {
  const name = `owners ${owners.join(", ") || "none"}; finalizers ${finalizers?.join() ?? "none"}; dependents ${dependents}`;
  test(name, () => {
    const object = { metadata: { ...meta("o"), ...(finalizers === undefined ? {} : { finalizers }) } };
    const states = owners.map((state, at) => ({
      reference: { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: String(at) },
      state,
    }));
    assert.deepEqual(judge(object, states, dependents), expected);
  });
}
