import { describe } from "node:test";
import { commitCases } from "./conformance/commit-cases.ts";
import type { OpenStore } from "./conformance/fixture.ts";
import { leaseCases } from "./conformance/lease-cases.ts";
import { lifecycleCases } from "./conformance/lifecycle-cases.ts";
import { rangeCases } from "./conformance/range-cases.ts";
import { watchCases } from "./conformance/watch-cases.ts";

export type { OpenStore } from "./conformance/fixture.ts";

/**
 * Declares the tests that every engine must pass: all that `store.ts` promises. `open` gives a new, empty store each time.
 *
 * @example
 * storeConformance("memory", async ({ clock }) => openMemoryStore({ clock }));
 */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`${name} store`, () => {
    describe("commit", () => commitCases(open));
    describe("range", () => rangeCases(open));
    describe("watch", () => watchCases(open));
    describe("lease", () => leaseCases(open));
    describe("lifecycle", () => lifecycleCases(open));
  });
}
