/** Measures how soon an in-process cluster can be used. */
import { TestCluster } from "@skiff/testing";
import { type BenchRow, median, spread } from "./row.ts";

const warmUps = 3;
const runs = 20;

/** Time from `TestCluster.start` to its end, in a process that has started one before. */
export async function benchTesting(): Promise<BenchRow[]> {
  const times: number[] = [];
  for (let turn = 1; turn <= warmUps + runs; turn++) {
    process.stderr.write(`testing: start ${turn} of ${warmUps + runs}\n`);
    const startMs = performance.now();
    await using _cluster = await TestCluster.start({ nodes: 3 });
    if (turn > warmUps) times.push(performance.now() - startMs);
  }
  return [
    {
      what: "in-process test cluster ready (3 nodes)",
      value: Math.round(median(times)),
      unit: "ms",
      floor: undefined,
      ceiling: 100,
      detail: spread(times, 0),
    },
  ];
}
