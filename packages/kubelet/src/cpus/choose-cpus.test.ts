import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { machineOf } from "../fixtures/topologies.ts";
import { cpuSetText, parseCpuSet } from "../topology/cpu-set.ts";
import { numaNodes, numaSet } from "../topology/numa.ts";
import { chooseCpus, cpuHints } from "./choose-cpus.ts";
import { plainRules } from "./cpu-rules.ts";

/** Two sockets of two NUMA nodes of two CPUs: 0-1 and 2-3, 4-5 and 6-7. */
const { cpus, numa } = machineOf(2, 4, 1, { numa: 2 });

describe("CPUs that are near together by socket", () => {
  const preferred = (bySocket: boolean, free: string) =>
    cpuHints(cpus, { count: 2, free: parseCpuSet(free), reusable: [] }, { nodes: numa.nodes, bySocket })
      .filter((hint) => hint.preferred)
      .map(({ nodes = 0 }) => numaNodes(nodes).join());

  it("are preferred of one node, or of all that is on its socket where that is asked for", () => {
    assert.deepEqual(preferred(false, "1-7"), ["1", "2", "3"]);
    assert.deepEqual(preferred(true, "1-7"), ["1", "2", "3", "0,1", "2,3"]);
    assert.deepEqual(preferred(false, "1,5,7"), []);
    assert.deepEqual(preferred(true, "1,5,7"), ["2,3"]);
  });

  it("are taken of the node's socket before those of others", () => {
    const chosen = (bySocket: boolean) =>
      cpuSetText(
        chooseCpus(cpus, {
          count: 2,
          free: parseCpuSet("0,2,5-7"),
          affinity: numaSet([2]),
          rules: { ...plainRules, bySocket },
        }),
      );
    assert.deepEqual([chosen(false), chosen(true)], ["0,5", "6-7"]);
  });

  it("means nothing where a NUMA node has several sockets", () => {
    const sockets = machineOf(2, 2, 1).cpus.map((place) => ({ ...place, numa: 0 }));
    const hints = cpuHints(sockets, { count: 1, free: [0, 1, 2, 3], reusable: [] }, { nodes: [0], bySocket: true });
    assert.deepEqual(hints, [{ nodes: 1, preferred: true }]);
  });
});
