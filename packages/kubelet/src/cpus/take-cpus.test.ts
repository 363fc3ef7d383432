import assert from "node:assert/strict";
import { test } from "node:test";
import { machineOf } from "../fixtures/topologies.ts";
import { cpuSetText, parseCpuSet } from "../topology/cpu-set.ts";
import type { MachineTopology } from "../topology/machine-topology.ts";
import { takeCpus, wholeCores } from "./take-cpus.ts";

/** Two sockets of two cores of two threads: cores are 0,4 and 1,5 on the first, 2,6 and 3,7 on the second. */
const dual = machineOf(2, 2, 2);
const single = machineOf(1, 4, 2);

const table: readonly (readonly [string, MachineTopology, string, number, string | undefined])[] = [
  ["one thread", single, "0-7", 1, "0"],
  ["a whole core", single, "0-7", 2, "0,4"],
  ["a core and a thread", single, "0-7", 3, "0-1,4"],
  ["a thread of a core that is used already", single, "1-7", 1, "4"],
  ["a whole core beside one that is used", single, "1-7", 2, "1,5"],
  ["a whole socket", dual, "0-7", 4, "0-1,4-5"],
  ["the socket that is whole", dual, "1-7", 4, "2-3,6-7"],
  ["what is left of the fuller socket first", dual, "1-7", 2, "1,5"],
  ["across sockets where it must", dual, "0-7", 6, "0-2,4-6"],
  ["threads where no core is whole", dual, "0,1,2,3", 2, "0-1"],
  ["all of them", dual, "0-7", 8, "0-7"],
  ["none where there are not enough", dual, "0-1", 3, undefined],
];
for (const [what, { cpus }, free, count, expected] of table) {
  test(`of ${free} ${count} are taken: ${what}`, () => {
    const taken = takeCpus(cpus, parseCpuSet(free), count);
    assert.equal(taken === undefined ? undefined : cpuSetText(taken), expected);
  });
}

/** Sockets of two NUMA nodes of ten cores: cores of the first are 0,40 to 9,49. */
const wide = machineOf(2, 20, 2, { numa: 2 });
const flat = machineOf(2, 4, 1);
const caches = machineOf(1, 16, 1, { caches: 4 });
const twoCaches = machineOf(2, 8, 1, { caches: 2 });
const pairs = machineOf(1, 8, 2, { caches: 2 });

const bySpread: readonly (readonly [MachineTopology, string, number, string])[] = [
  [single, "0-7", 3, "0-2"],
  [dual, "0-7", 2, "0-1"],
  [dual, "0-7", 3, "0-1,4"],
  [dual, "0-7", 6, "0-2,4-5,3"],
  [flat, "0-7", 2, "0-1"],
  [wide, "0-79", 8, "0-7"],
];
for (const [{ cpus }, free, count, expected] of bySpread) {
  test(`of ${free} ${count} are taken across cores`, () => {
    const taken = takeCpus(cpus, parseCpuSet(free), count, { acrossCores: true }) ?? [];
    assert.equal(cpuSetText(taken), cpuSetText(parseCpuSet(expected)));
  });
}

const byCaches: readonly (readonly [string, MachineTopology, string, number, string])[] = [
  ["two whole ones, and what is left of the one that is used", caches, "1-15", 10, "1-2,4-11"],
  ["the first", twoCaches, "0-15", 4, "0-3"],
  ["all that is left of a socket", twoCaches, "2-15", 6, "2-7"],
  ["one of the other socket", twoCaches, "8-15", 4, "8-11"],
  ["one that has as many, not the one that is used most", pairs, "2-7,10-15", 6, "4-6,12-14"],
  ["an odd number", pairs, "2-7,10-15", 5, "4-6,12-13"],
  ["a whole one and a core of the other", pairs, "1-7,9-15", 10, "1,4-7,9,12-15"],
];
for (const [what, { cpus }, free, count, expected] of byCaches) {
  test(`of ${free} ${count} are taken by caches: ${what}`, () => {
    assert.equal(cpuSetText(takeCpus(cpus, parseCpuSet(free), count, { byCache: true }) ?? []), expected);
  });
}

test("whole cores are those of which nothing is taken", () => {
  assert.equal(cpuSetText(wholeCores(dual.cpus, parseCpuSet("1-6"))), "1-2,5-6");
});
