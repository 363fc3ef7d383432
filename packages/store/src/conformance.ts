import { describe } from "node:test";
import { commitCases } from "./conformance/commit-cases.ts";
import { type ConformanceOptions, declareCase, type OpenStore } from "./conformance/fixture.ts";
import { leaseCases } from "./conformance/lease-cases.ts";
import { lifecycleCases } from "./conformance/lifecycle-cases.ts";
import { rangeCases } from "./conformance/range-cases.ts";
import { snapshotCases } from "./conformance/snapshot-cases.ts";
import { watchCases } from "./conformance/watch-cases.ts";

import type { EmbeddedStore } from "./store.ts";

export type { ConformanceOptions, OpenStore } from "./conformance/fixture.ts";

/**
 * Declares the tests that every engine must pass: all that `store.ts` promises. `open` gives a new, empty store each time; a
 * `remote` one keeps real time and decides calls that are made at once in an order of its own.
 *
 * @example
 * embeddedStoreConformance("memory", async ({ clock }) => openMemoryStore({ clock }));
 */
export function storeConformance(name: string, open: OpenStore, options: ConformanceOptions = { remote: false }): void {
  describe(`${name} store`, () => {
    describe("commit", () => commitCases(declareCase(open, options)));
    describe("range", () => rangeCases(declareCase(open, options)));
    describe("watch", () => watchCases(declareCase(open, options)));
    describe("lease", () => leaseCases(declareCase(open, options)));
    describe("lifecycle", () => lifecycleCases(declareCase(open, options)));
  });
}

/** The same for an engine of this process, which promises a little more. */
export function embeddedStoreConformance(name: string, open: OpenStore<EmbeddedStore>): void {
  storeConformance(name, open);
  describe(`${name} store's snapshots`, () => snapshotCases(declareCase(open, { remote: false })));
}
