import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom, systemClock, VirtualClock } from "@skiff/base";
import { containerConfig, runPod, runtimeConformance, type Subject, sandboxConfig } from "../conformance.ts";
import { RuntimeError } from "../runtime.ts";
import { AddressPool } from "./address-pool.ts";
import { MemoryLogs } from "./container-logs.ts";
import { pretend } from "./pretend-command.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";

const { signal } = new AbortController();
const places = { logDirectory: "/logs", cgroupParent: "/kubepods" };
const options = { random: seededRandom(1), podCidr: "10.42.0.0/24", images: ["skiff/hello:1"] };
const around = { hostname: "web-0", ip: "10.42.0.2", env: [{ name: "A", value: "1" }] };

const real: Subject = {
  ...places,
  runtime: new SimulatedRuntime({ ...options, clock: systemClock, logs: new MemoryLogs() }),
  clock: systemClock,
  image: "skiff/hello:1",
};
runtimeConformance("the simulation", () => real);

describe("simulated containers", () => {
  const start = () => {
    const clock = new VirtualClock();
    const logs = new MemoryLogs();
    const runtime = new SimulatedRuntime({ ...options, clock, logs, pullMs: 50 });
    return { clock, logs, runtime, subject: { ...places, runtime, clock, image: "skiff/hello:1" } };
  };

  it("end when and how annotations say", async () => {
    const { clock, runtime, subject } = start();
    const annotations = { "skiff.dev/simulated-exit-code": "3", "skiff.dev/simulated-run-ms.main": "2000" };
    const pod = await runPod(subject, sandboxConfig(subject, { annotations }), {}, signal);
    await clock.advance(1999);
    assert.equal((await runtime.containerStatus(pod.containerId)).state, "running");
    await clock.advance(1);
    const { state, exitCode, reason, startedAtMs, finishedAtMs } = await runtime.containerStatus(pod.containerId);
    assert.deepEqual([state, exitCode, reason, finishedAtMs - startedAtMs], ["exited", 3, "Error", 2000]);
  });

  it("write what their command would, into the log file's path", async () => {
    const { clock, logs, runtime, subject } = start();
    const config = sandboxConfig(subject);
    const pod = await runPod(subject, config, { command: ["sh", "-c", "echo one; sleep 2; echo two; exit 4"] }, signal);
    assert.equal(
      logs.read(`${config.logDirectory}/main_0.log`),
      "2026-01-01T00:00:00.000000000Z stdout F one\n2026-01-01T00:00:00.000000000Z stdout F two\n",
    );
    await clock.advance(2000);
    assert.equal((await runtime.containerStatus(pod.containerId)).exitCode, 4);
  });

  it("are killed when stopping takes longer than the grace", async () => {
    const { clock, runtime, subject } = start();
    const annotations = { "skiff.dev/simulated-stop-ms": "5000" };
    const pod = await runPod(subject, sandboxConfig(subject, { annotations }), {}, signal);
    const stopping = runtime.stopContainer(pod.containerId, 3, signal);
    await clock.advance(3000);
    await stopping;
    assert.equal((await runtime.containerStatus(pod.containerId)).exitCode, 137);
  });

  it("fail to start where that is asked for", async () => {
    const { runtime, subject } = start();
    const sandbox = sandboxConfig(subject, { annotations: { "skiff.dev/simulated-start-error": "no such file" } });
    const sandboxId = await runtime.runPodSandbox(sandbox, signal);
    const id = await runtime.createContainer(sandboxId, containerConfig("skiff/hello:1"), sandbox);
    await assert.rejects(runtime.startContainer(id, signal), /no such file/);
    assert.equal((await runtime.containerStatus(id)).reason, "StartError");
  });

  it("pull what is not named to fail", async () => {
    const { clock, runtime } = start();
    const pulls = Promise.allSettled(
      ["nginx", "nosuch:1", "skiff/forbidden"].map((name) => runtime.pullImage(name, undefined, signal)),
    );
    await clock.advance(50);
    const codes = (await pulls).map((one) => (one.status === "fulfilled" ? "pulled" : one.reason.code));
    assert.deepEqual(codes, ["pulled", "NOT_FOUND", "UNKNOWN"]);
    assert.deepEqual((await runtime.imageStatus("docker.io/library/nginx:latest"))?.repoTags, [
      "docker.io/library/nginx:latest",
    ]);
  });

  it("come in thousands", async () => {
    const clock = new VirtualClock();
    const runtime = new SimulatedRuntime({ ...options, podCidr: "10.0.0.0/16", clock, logs: new MemoryLogs() });
    const subject = { ...places, runtime, clock, image: "skiff/hello:1" };
    for (let index = 0; index < 5000; index++) await runPod(subject, sandboxConfig(subject), {}, signal);
    assert.equal((await runtime.listContainers()).filter(({ state }) => state === "running").length, 5000);
  });
});

describe("simulated addresses", () => {
  it("are used again only after all others", () => {
    const pool = new AddressPool("10.1.2.0/29");
    const first = [pool.take(), pool.take()];
    pool.release("10.1.2.2");
    assert.deepEqual(
      [...first, pool.take(), pool.take(), pool.take(), pool.take()],
      [...["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6", "10.1.2.2"]],
    );
    assert.throws(() => pool.take(), RuntimeError);
  });
});

describe("pretended commands", () => {
  const cases: readonly (
    | readonly [readonly string[], string, number, number]
    | readonly [readonly string[], undefined]
  )[] = [
    [["true"], "", 0, 0],
    [["/bin/false"], "", 0, 1],
    [["sleep", "1.5"], "", 1500, 0],
    [["sleep", "2m"], "", 120_000, 0],
    [["hostname"], "web-0\n", 0, 0],
    [["sh", "-c", "echo a && exit 2; echo b"], "a\n", 0, 2],
    [["sh", "-c", "false && echo no"], "", 0, 1],
    [["sh", "-c", "nginx -g daemon"], undefined],
    [["nginx"], undefined],
  ];
  for (const [command, stdout, durationMs, exitCode] of cases) {
    it(command.join(" "), () => {
      const told = pretend(command, around);
      assert.deepEqual(told, stdout === undefined ? undefined : { stdout, stderr: "", durationMs, exitCode });
    });
  }
});
