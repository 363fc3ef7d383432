import assert from "node:assert/strict";
import { test } from "node:test";
import { machineOf } from "../fixtures/topologies.ts";
import { cpuSetText, parseCpuSet } from "../topology/cpu-set.ts";
import type { MachineTopology } from "../topology/machine-topology.ts";
import { distributeCpus } from "./distribute-cpus.ts";

/** Two sockets of three cores of two threads: cores are 0,6 to 2,8 and 3,9 to 5,11. */
const dual = machineOf(2, 3, 2);
/** Sockets of two NUMA nodes of ten cores: cores of the first are 0,40 to 9,49. */
const wide = machineOf(2, 20, 2, { numa: 2 });
/** Sockets of four NUMA nodes of 16 cores. */
const large = machineOf(2, 64, 2, { numa: 4 });

const table: readonly (readonly [string, MachineTopology, string, number, number, string | undefined])[] = [
  ["one node has enough", wide, "0-79", 20, 1, "0-9,40-49"],
  ["as many of each of two", dual, "0-11", 8, 1, "0-1,3-4,6-7,9-10"],
  ["as many of each of four", wide, "0-79", 64, 1, "0-7,10-17,20-27,30-37,40-47,50-57,60-67,70-77"],
  ["three of four are enough", wide, "0-79", 48, 1, "0-7,10-17,20-27,40-47,50-57,60-67"],
  [
    "the three that leave the rest most even",
    wide,
    "2-29,31-39,42-69,71-79",
    48,
    1,
    "10-17,20-27,31-38,50-57,60-67,71-78",
  ],
  ["a core is used already", wide, "1-29,32-39,41-69,72-79", 48, 1, "1-8,10-17,20-27,41-48,50-57,60-67"],
  [
    "few are left everywhere",
    wide,
    "0-2,10-12,20-22,30-32,40-41,50-51,60-61,70-71",
    16,
    1,
    "0-1,10-11,20-21,30-31,40-41,50-51,60-61,70-71",
  ],
  ["what does not go up is of different nodes", wide, "0-79", 26, 1, "0-6,10-16,40-45,50-55"],
  ["whole cores each", wide, "0-79", 26, 2, "0-6,10-15,40-46,50-55"],
  ["the rest of the first two", wide, "0-79", 62, 1, "0-7,10-17,20-27,30-37,40-47,50-57,60-66,70-76"],
  ["whole cores, the rest of the first three", wide, "0-79", 62, 2, "0-7,10-17,20-27,30-36,40-47,50-57,60-67,70-76"],
  [
    "the rest of those that have most left",
    wide,
    "0-8,10-18,20-39,40-48,50-58,60-79",
    62,
    1,
    "0-7,10-17,20-27,30-37,40-46,50-56,60-67,70-77",
  ],
  [
    "the rest of a node that has so much",
    wide,
    "0-3,10-13,20-23,30-36,40-43,50-53,60-63,70-76",
    34,
    1,
    "0-3,10-13,20-23,30-34,40-43,50-53,60-63,70-74",
  ],
  [
    "eight nodes, most of them used",
    large,
    "0,128,30,31,158,159,43-47,171-175,62,63,190,191,75-79,203-207,94,96,222,223,101-111,229-239,126,127,254,255",
    28,
    1,
    "43-47,75-79,96,101-105,171-174,203-206,229-232",
  ],
  ["an odd number of threads is no number of cores", dual, "1-5,7-11", 1, 2, "1"],
  ["the nodes cannot give as many each", dual, "0,3-5,9-11", 7, 1, "0,3-5,9-11"],
  ["there are not enough", dual, "0-3", 5, 1, undefined],
];
for (const [what, { cpus }, free, count, group, expected] of table) {
  test(`of ${free} ${count} are distributed in groups of ${group}: ${what}`, () => {
    const taken = distributeCpus(cpus, parseCpuSet(free), { count, group });
    assert.equal(taken === undefined ? undefined : cpuSetText(taken), expected);
  });
}
