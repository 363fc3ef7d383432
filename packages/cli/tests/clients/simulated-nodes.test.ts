/** `skiff up --simulated-nodes N` with stock kubectl: nodes come, answer for their pods, and go. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectls, Workbench } from "../story/workbench.ts";

if (kubectls().length > 0) {
  describe("simulated nodes", () => {
    let bench: Workbench;
    const up = (count: string) => bench.skiff("up", "--runtime", "simulated", "--simulated-nodes", count);
    const nodesAre = (count: number) =>
      bench.eventually(`${count} nodes`, async () => {
        const names = await bench.kubectl("get", "nodes", "-l", "type=kwok", "-o", "name");
        assert.equal(names.split("\n").filter(Boolean).length, count, names);
      });

    before(async () => {
      bench = await Workbench.create("kwok");
    });
    after(() => bench[Symbol.asyncDispose]());

    test("what is no number of nodes is refused", async () => {
      for (const count of ["many", "-1", "1.5", "100000"]) assert.notEqual((await up(count)).code, 0, count);
    });

    test("they come, and say at once that nothing can be run in their pods", async () => {
      const started = await up("4");
      assert.equal(started.code, 0, started.stderr);
      await nodesAre(4);
      const overrides = { spec: { nodeSelector: { type: "kwok" }, tolerations: [{ operator: "Exists" }] } };
      await bench.kubectl("run", "there", "--image=any", `--overrides=${JSON.stringify(overrides)}`);
      await bench.kubectl("wait", "--for=condition=Ready", "pod/there", "--timeout=240s");
      const logs = await bench.run(bench.kubectlProgram, ["logs", "there"]);
      assert.match(logs.stderr, /node simulated-\d is simulated: its pods have no logs/);
    });

    test("another number waits for another start", async () => {
      assert.match((await up("1")).stderr, /is running without --simulated-nodes; run skiff down first/);
      assert.equal((await bench.skiff("down")).code, 0);
      assert.equal((await up("0")).code, 0);
      await nodesAre(0);
    });
  });
}
