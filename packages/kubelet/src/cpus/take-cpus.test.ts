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

test("whole cores are those of which nothing is taken", () => {
  assert.equal(cpuSetText(wholeCores(dual.cpus, parseCpuSet("1-6"))), "1-2,5-6");
});
