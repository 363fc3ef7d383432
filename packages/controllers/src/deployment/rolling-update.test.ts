import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deploymentOf, setNamed } from "../fixtures/objects.ts";
import { revisionFrom } from "./revision.ts";
import { nextSize, oldSizes } from "./rolling-update.ts";

const rolling = (replicas: number, maxSurge: number, maxUnavailable: number) =>
  deploymentOf({ replicas, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } });
const revision = (name: string, replicas: number, available = replicas) =>
  revisionFrom(setNamed(name, { replicas, available }));

describe("the size of the present set of ten", () => {
  for (const [surge, old, current, expected] of [
    [0, 10, 0, 0],
    [2, 10, 0, 2],
    [2, 5, 0, 7],
    [2, 10, 2, 2],
    [2, 2, 11, 10],
  ] as const)
    it(`beside ${old} old pods, of ${current}, with a surge of ${surge}: ${expected}`, () => {
      const present = revision("new", current);
      assert.equal(nextSize(rolling(10, surge, 0), present, [present, revision("old", old)]), expected);
    });
});

describe("the size of the old set beside the present one of ten", () => {
  for (const [unavailable, [old, oldReady], [current, currentReady], expected] of [
    // Of none that may be missing one may be, or nothing would move.
    [0, [10, 10], [0, 0], 9],
    [2, [10, 10], [0, 0], 8],
    // What does not serve goes first.
    [2, [10, 8], [0, 0], 8],
    [2, [10, 9], [0, 0], 8],
    // New pods that do not serve yet are held back.
    [2, [8, 8], [2, 0], 8],
    [2, [8, 8], [2, 1], 7],
    [2, [0, 0], [10, 10], 0],
  ] as const)
    it(`${oldReady} of ${old} serve, ${currentReady} of ${current} new ones, ${unavailable} may be missing: ${expected}`, () => {
      const before = revision("old", old, oldReady);
      const sizes = oldSizes(rolling(10, 0, unavailable), revision("new", current, currentReady), [before]);
      assert.equal(sizes.get("old") ?? before.replicas, expected);
    });
});
