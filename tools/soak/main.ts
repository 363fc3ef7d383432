/**
 * `npm run soak [-- --pods 1000 --at-once 20 --seed 1 --kill-every 15]` (seconds): pods come and go on a real node while its agent and
 * its containerd are killed; exit code 1 when anything is left behind. Needs root on Linux.
 */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "1000" },
    "at-once": { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    "kill-every": { type: "string", default: "15" },
  },
});
const startMs = performance.now();
const result = await soak({
  pods: Number(values.pods),
  atOnce: Number(values["at-once"]),
  seed: Number(values.seed),
  killEveryMs: Number(values["kill-every"]) * 1000,
  say: (text) => process.stderr.write(`${((performance.now() - startMs) / 1000).toFixed(0)} s: ${text}\n`),
});
const left = [...result.leftOnNode, ...result.leftOnMachine];
process.stdout.write(
  `${values.pods} pods (${result.begun} ran or ended), ${result.kills} kills, seed ${values.seed}, ${((performance.now() - startMs) / 1000).toFixed(0)} s: ${left.length === 0 ? "nothing is left behind" : "left behind:"}\n`,
);
for (const trace of left) process.stdout.write(`${trace}\n`);
process.exit(left.length === 0 ? 0 : 1);
