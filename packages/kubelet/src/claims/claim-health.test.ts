import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { ClaimHealth } from "./claim-health.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skiff-health-"));
});
after(() => rm(folder, { recursive: true }));

const driver = "cards.example.com";
const report = (name: string, health: number, timeoutSeconds = 0) => ({
  device: { pool: "node-1", name },
  health,
  message: health === 2 ? "too hot" : "",
  timeoutSeconds,
});

describe("the health of devices", () => {
  it("counts over a restart, for as long as it was to count", async () => {
    const path = join(folder, "kept");
    const clock = new VirtualClock();
    const start = (onChange = (_driver: string) => {}) =>
      ClaimHealth.start({ path, clock, logger: silentLogger, onChange });
    const first = await start();
    first.take(driver, [report("card0", 2), report("card1", 1, 100), report("card2", 0)]);
    first.take("other.example.com", [report("x", 2)]);
    first.clear("other.example.com");
    await first[Symbol.asyncDispose]();
    assert.deepEqual(JSON.parse(await readFile(path, "utf8"))[driver].Devices["node-1/card0"], {
      PoolName: "node-1",
      DeviceName: "card0",
      Health: "Unhealthy",
      LastUpdated: new Date(clock.now()).toISOString(),
      HealthCheckTimeout: 30_000_000_000,
      Message: "too hot",
    });
    await clock.advance(20_000);
    const changes: string[] = [];
    await using second = await start((one) => changes.push(one));
    const said = () => ["card0", "card1", "card2"].map((name) => second.of(driver, "node-1", name).health);
    assert.deepEqual(said(), ["Unhealthy", "Healthy", "Unknown"]);
    assert.equal(second.of(driver, "node-1", "card0").message, "too hot");
    assert.equal(second.of("other.example.com", "node-1", "x").health, "Unknown");
    await clock.advance(11_000);
    assert.deepEqual([said(), changes], [["Unknown", "Healthy", "Unknown"], [driver]]);
    await clock.advance(100_000);
    await using third = await start();
    assert.equal(third.of(driver, "node-1", "card1").health, "Unknown");
  });

  it("is unknown where what was kept cannot be read", async () => {
    const path = join(folder, "broken");
    await writeFile(path, "{");
    await using health = await ClaimHealth.start({
      path,
      clock: new VirtualClock(),
      logger: silentLogger,
      onChange: () => {},
    });
    assert.equal(health.of(driver, "node-1", "card0").health, "Unknown");
  });
});
