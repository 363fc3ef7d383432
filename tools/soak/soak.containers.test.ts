import assert from "node:assert/strict";
import { it } from "node:test";
import { soak } from "./soak.ts";

it("leaves nothing of its pods behind, whatever was killed while they came and went", async (test) => {
  const seed = Number(process.env.SKIFF_SEED ?? 1);
  const said: string[] = [];
  const options = { pods: 60, atOnce: 10, seed, killEveryMs: 6000, say: (text: string) => said.push(text) };
  const { kills, begun, leftOnNode, leftOnMachine } = await soak(options);
  test.diagnostic(`seed ${seed}: ${kills} kills, ${begun} pods ran`);
  assert.deepEqual(leftOnNode, [], `seed ${seed}: ${said.join("; ")}`);
  assert.deepEqual(leftOnMachine, []);
  assert.ok(begun > 30, `${begun} pods ran`);
});
