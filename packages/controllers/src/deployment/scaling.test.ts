import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReplicaSet } from "@skiff/api";
import { ago, deploymentOf, setNamed } from "../fixtures/objects.ts";
import { type Revision, revisionFrom } from "./revision.ts";
import { scaledSizes } from "./scaling.ts";

interface Case {
  /** What is asked for: pods, with a surge where there is one. */
  readonly to: number;
  readonly surge?: number;
  /** What the sets were sized for. */
  readonly from: number;
  readonly fromSurge?: number;
  /** Sizes of the present set and of the old ones, the newest first; `undefined`: there is no present one yet. */
  readonly current: number | undefined;
  readonly old: readonly number[];
  readonly expected: readonly (number | undefined)[];
}

const cases: Readonly<Record<string, Case>> = {
  "one set grows": { to: 12, from: 10, current: 10, old: [], expected: [12] },
  "one set shrinks": { to: 5, from: 10, current: 10, old: [], expected: [5] },
  "two grow by their share": { to: 10, from: 5, current: 2, old: [3], expected: [4, 6] },
  "two shrink by their share": { to: 3, from: 5, current: 2, old: [3], expected: [1, 2] },
  "a small one goes first": { to: 4, from: 9, current: 8, old: [1], expected: [4, 0] },
  "three grow": { to: 10, from: 7, current: 2, old: [3, 2], expected: [3, 4, 3] },
  "three shrink": { to: 8, from: 13, current: 2, old: [8, 3], expected: [1, 5, 2] },
  "what is left over goes to the newest of equals": { to: 4, from: 3, current: 1, old: [1, 1], expected: [2, 1, 1] },
  "or is taken from the oldest": { to: 2, from: 3, current: 1, old: [1, 1], expected: [1, 1, 0] },
  "without a present set": { to: 5, from: 4, current: undefined, old: [2, 2], expected: [undefined, 3, 2] },
  "down to nothing": { to: 0, from: 6, current: 3, old: [2, 1], expected: [0, 0, 0] },
  "up from nothing": { to: 6, from: 6, current: 0, old: [0, 0], expected: [6, 0, 0] },
  "with a surge": { to: 20, surge: 2, from: 10, fromSurge: 2, current: 6, old: [6], expected: [11, 11] },
  "with another surge than before": {
    to: 50,
    surge: 6,
    from: 10,
    fromSurge: 3,
    current: 5,
    old: [8],
    expected: [22, 34],
  },
  "with a new template at the same time": {
    to: 14,
    from: 10,
    current: undefined,
    old: [7, 3],
    expected: [undefined, 10, 4],
  },
  "a present set that is large enough but does not serve leaves the old ones alone": {
    to: 2,
    surge: 1,
    from: 2,
    fromSurge: 1,
    current: 2,
    old: [1],
    expected: [2, 1],
  },
};

describe("sizes after scaling", () => {
  for (const [name, { to, surge = 0, from, fromSurge = 0, current, old, expected }] of Object.entries(cases))
    it(name, () => {
      const rollingUpdate = { maxSurge: surge, maxUnavailable: 0 };
      const deployment = deploymentOf({ replicas: to, strategy: { type: "RollingUpdate", rollingUpdate } });
      const revision = (replicas: number, age: number): Revision => {
        const set: ReplicaSet = setNamed(`r${9 - age}`, { replicas, available: 0 });
        const annotations = {
          "deployment.kubernetes.io/desired-replicas": String(from),
          "deployment.kubernetes.io/max-replicas": String(from + fromSurge),
        };
        const creationTimestamp = ago(age * 3600);
        return revisionFrom({ ...set, metadata: { ...set.metadata, annotations, creationTimestamp } });
      };
      const present = current === undefined ? undefined : revision(current, 0);
      const others = old.map((replicas, at) => revision(replicas, at + 1));
      const sizes = scaledSizes(deployment, present, others);
      const sizeOf = (one: Revision | undefined) => one && (sizes.get(one.name) ?? one.replicas);
      assert.deepEqual([present, ...others].map(sizeOf), expected);
    });

  for (const [name, status, annotation, replicas, expected] of [
    ["that was sized for nothing known stays", {}, undefined, 40, 40],
    ["that was sized for zero stays", {}, "0", 40, 40],
    ["goes by what there is where it does not say", { replicas: 100 }, undefined, 40, 48],
    ["goes by what there is where it says nonsense", { replicas: 100 }, "-5", 40, 48],
  ] as const)
    it(`a set ${name}`, () => {
      const rollingUpdate = { maxSurge: 0, maxUnavailable: 1 };
      const deployment = deploymentOf({ replicas: 120, strategy: { type: "RollingUpdate", rollingUpdate } }, status);
      const annotations = annotation === undefined ? {} : { "deployment.kubernetes.io/max-replicas": annotation };
      const sized = (setName: string, count: number) => {
        const set = setNamed(setName, { replicas: count, available: 0 });
        return revisionFrom({ ...set, metadata: { ...set.metadata, annotations } });
      };
      // The largest takes what is left over, so that this one has its fair share alone.
      const sizes = scaledSizes(deployment, sized("new", 60), [sized("old", replicas)]);
      assert.equal(sizes.get("old"), expected);
    });
});
