import assert from "node:assert/strict";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { systemMounts, systemProcesses } from "@skiff/host";
import { containerConfig, runPod, runtimeConformance, sandboxConfig, untilStatus } from "../conformance.ts";
import { ensureHelloImages } from "../hello-image.ts";
import { type ProcessStreams, RuntimeError, type RuntimeEvent, type StreamOptions } from "../runtime.ts";
import { containerdSocket } from "./containerd-config.ts";
import { type ContainerdFixture, startContainerd } from "./containerd-fixture.ts";

const { signal } = new AbortController();
let fixture: ContainerdFixture;
before(async () => {
  fixture = await startContainerd();
});
after(async () => {
  assert.deepEqual(await fixture.leftovers(), []);
  await fixture[Symbol.asyncDispose]();
});

runtimeConformance("containerd", () => fixture.subject);

const all: StreamOptions = { stdin: true, stdout: true, stderr: true, tty: false };

async function textOf(stream: Readable | undefined): Promise<string> {
  if (stream === undefined) return "";
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function results(streams: ProcessStreams) {
  const [stdout, stderr, code] = await Promise.all([textOf(streams.stdout), textOf(streams.stderr), streams.exit]);
  return { stdout, stderr, code };
}

const shell = (script: string) => ["sh", "-c", script];

describe("exec", () => {
  const exec = async (
    script: string,
    options: StreamOptions,
    use: (streams: ProcessStreams) => void | Promise<void>,
  ) => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    const streams = await fixture.runtime.exec(pod.containerId, shell(script), options, signal);
    const result = results(streams);
    await use(streams);
    return await result;
  };

  it("keeps the two outputs apart and gives the exact exit code", async () => {
    const result = await exec("echo out; echo err >&2; exit 42", { ...all, stdin: false }, () => {});
    assert.deepEqual(result, { stdout: "out\n", stderr: "err\n", code: 42 });
  });

  it("closes the input alone, after a megabyte of it", async () => {
    const result = await exec("wc -c; echo done", all, (streams) => {
      streams.stdin?.end(Buffer.alloc(1_000_000, "x"));
    });
    assert.deepEqual(result, { stdout: "1000000\ndone\n", stderr: "", code: 0 });
  });

  it("gives all of a large output", async () => {
    const result = await exec("head -c 3000000 /dev/zero", { ...all, stdin: false }, () => {});
    assert.deepEqual([result.stdout.length, result.code], [3_000_000, 0]);
  });

  it("has a terminal with a size", async () => {
    const result = await exec(
      "read go; stty size; tty; exit 3",
      { ...all, stderr: false, tty: true },
      async (streams) => {
        await streams.resize({ width: 123, height: 45 });
        streams.stdin?.write("go\n");
      },
    );
    assert.match(result.stdout, /45 123\r\n\/dev\/pts\/\d+\r\n$/);
    assert.equal(result.code, 3);
  });

  it("kills the process when let go", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    const streams = await fixture.runtime.exec(pod.containerId, ["sleep", "1000"], all, signal);
    await streams.close();
    assert.equal(await streams.exit, 137);
    const ps = await fixture.runtime.execSync(pod.containerId, ["ps"], 0, signal);
    assert.doesNotMatch(ps.stdout.toString(), /sleep/);
  });

  it("says why a command cannot be started", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    await assert.rejects(
      fixture.runtime.exec(pod.containerId, ["nosuch"], all, signal),
      (error) => error instanceof RuntimeError && /"nosuch": executable file not found in \$PATH/.test(error.message),
    );
  });

  it("ends a command at its time limit", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    await assert.rejects(
      fixture.runtime.execSync(pod.containerId, ["sleep", "1000"], 1000, signal),
      (error) => error instanceof RuntimeError && error.code === "DEADLINE_EXCEEDED",
    );
  });
});

describe("attach", () => {
  const interactive = {
    stdin: true,
    stdinOnce: true,
    command: shell("while read line; do echo got $line; done; exit 7"),
  };

  it("reaches the container's own process, closes its input alone, and gives its exit code", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), interactive, signal);
    const streams = await fixture.runtime.attach(pod.containerId, all, signal);
    const result = results(streams);
    streams.stdin?.end("one\ntwo\n");
    assert.deepEqual(await result, { stdout: "got one\ngot two\n", stderr: "", code: 7 });
  });

  it("leaves the container running when it detaches", async () => {
    await using pod = await runPod(
      fixture.subject,
      sandboxConfig(fixture.subject),
      { ...interactive, stdinOnce: false },
      signal,
    );
    const streams = await fixture.runtime.attach(pod.containerId, all, signal);
    await streams.close();
    assert.equal(await streams.exit, 0);
    assert.equal((await fixture.runtime.containerStatus(pod.containerId, signal)).state, "running");
  });
});

describe("the hello image", () => {
  it("comes in two versions, the first also without a tag, and counts as pulled", async () => {
    await ensureHelloImages(fixture.runtime, systemProcesses, signal);
    const [one, latest, two] = await Promise.all(
      ["skiff/hello:1", "skiff/hello", "skiff/hello:2"].map((name) => fixture.runtime.imageStatus(name, signal)),
    );
    assert.equal(latest?.id, one?.id);
    assert.notEqual(two?.id, one?.id);
    assert.equal(await fixture.runtime.pullImage("skiff/hello", undefined, signal), one?.id);
  });

  const listening = async (ip: string) => {
    for (let attempt = 0; attempt < 3000; attempt++) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const socket = connect(80, ip, () => resolve(true)).on("error", () => resolve(false));
      const up = await promise;
      socket.destroy();
      if (up) return;
      await fixture.subject.clock.sleep(10, signal);
    }
  };

  it("answers with its name, address and version, to many at once, and logs each request", async () => {
    const sandbox = sandboxConfig(fixture.subject);
    await using pod = await runPod(fixture.subject, sandbox, {}, signal);
    const ip = (await fixture.runtime.podSandboxStatus(pod.sandboxId, signal)).ips[0] ?? "";
    await listening(ip);
    const answers = await Promise.all(Array.from({ length: 40 }, async () => (await fetch(`http://${ip}/`)).text()));
    assert.deepEqual([...new Set(answers)], [`Hello from ${sandbox.hostname} (${ip}), version 1\n`]);
    const logged = async () => {
      const log = await readFile(`${sandbox.logDirectory}/main_0.log`, "utf8");
      return log.split("\n").filter((line) => line.endsWith(" GET /")).length;
    };
    // A request is logged after it was answered, and the line passes through the shim.
    for (let attempt = 0; attempt < 1500 && (await logged()) < 40; attempt++)
      await fixture.subject.clock.sleep(20, signal);
    assert.equal(await logged(), 40);
  });

  it("is reached through a forwarded port, and says when nobody listens", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    await listening((await fixture.runtime.podSandboxStatus(pod.sandboxId, signal)).ips[0] ?? "");
    const stream = await fixture.runtime.portForward(pod.sandboxId, 80, signal);
    stream.end("GET / HTTP/1.0\r\n\r\n");
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.[01] 200 OK\r\n[\s\S]*Hello from pod-/);
    const refused = await fixture.runtime.portForward(pod.sandboxId, 81, signal);
    await assert.rejects(
      (async () => {
        for await (const _ of refused);
      })(),
      /refused/,
    );
  });

  it("ends when its first process is told to, from inside", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    await fixture.runtime.execSync(pod.containerId, ["kill", "1"], 0, signal);
    const { exitCode, reason } = await untilStatus(
      fixture.subject,
      pod.containerId,
      ({ state }) => state === "exited",
      signal,
    );
    assert.deepEqual([exitCode, reason], [0, "Completed"]);
  });
});

describe("limits and crashes", () => {
  /** Where containerd has a folder for each of what it runs. */
  const tasks = () => join(fixture.config.stateDirectory, "state/io.containerd.runtime.v2.task/k8s.io");

  it("tells of a container that used too much memory", async () => {
    const over = new AbortController();
    const events = fixture.runtime.events(over.signal);
    const script = "sleep 0.2; x=a; while true; do x=$x$x; done";
    const changes = { command: shell(script), resources: { memoryLimitBytes: 16 * 1024 * 1024 } };
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), changes, signal);
    let exit: RuntimeEvent | undefined;
    for await (const event of events) {
      if (event.kind !== "containerExited" || event.containerId !== pod.containerId) continue;
      exit = event;
      break;
    }
    over.abort();
    assert.ok(exit?.kind === "containerExited" && exit.oomKilled);
    const status = await untilStatus(fixture.subject, pod.containerId, ({ state }) => state === "exited", signal);
    assert.deepEqual([status.exitCode, status.reason], [137, "OOMKilled"]);
  });

  it("goes on after containerd was killed: containers live, events resume with resync", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    const over = new AbortController();
    const events = fixture.runtime.events(over.signal)[Symbol.asyncIterator]();
    const first = events.next();
    await fixture.crash();
    assert.deepEqual((await first).value, { kind: "resync" });
    assert.equal((await fixture.runtime.containerStatus(pod.containerId, signal)).state, "running");
    const next = events.next();
    await fixture.runtime.stopContainer(pod.containerId, 0, signal);
    const event: RuntimeEvent | undefined = (await next).value;
    assert.ok(event?.kind === "containerExited" && event.exitCode === 137);
    over.abort();
  });

  it("has pause processes under the default seccomp profile, without foreign architectures once it knows it", async () => {
    const profileOf = async (id: string) => {
      const pid = (await readFile(join(tasks(), id, "init.pid"), "utf8")).trim();
      assert.match(await readFile(`/proc/${pid}/status`, "utf8"), /^Seccomp:\t2$/m);
      return JSON.parse(await readFile(join(tasks(), id, "config.json"), "utf8")).linux.seccomp;
    };
    {
      await using _first = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    }
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    const [pause, container] = [await profileOf(pod.sandboxId), await profileOf(pod.containerId)];
    assert.deepEqual([pause.architectures.length, container.architectures.length > 1], [1, true]);
    assert.deepEqual(pause, { ...container, architectures: pause.architectures });
  });

  it("makes a container although the shim of its pod answers only after seconds, as on a machine that has too much to do", async () => {
    const { runtime, subject } = fixture;
    const sandbox = sandboxConfig(subject);
    await using pod = await runPod(subject, sandbox, {}, signal);
    const pause = (await readFile(join(tasks(), pod.sandboxId, "init.pid"), "utf8")).trim();
    const [, shim] = /^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${pause}/status`, "utf8")) ?? [];
    const image = (await runtime.imageStatus(subject.image, signal))?.id ?? "";
    process.kill(Number(shim), "SIGSTOP");
    using _ = systemClock.after(4000, () => process.kill(Number(shim), "SIGCONT"));
    while (!/^State:\tT/m.test(await readFile(`/proc/${shim}/status`, "utf8"))) await systemClock.sleep(5, signal);
    const config = containerConfig(image, { name: "late", logPath: "late_0.log" });
    const id = await runtime.createContainer(pod.sandboxId, config, sandbox, signal);
    await runtime.startContainer(id, signal);
    assert.equal((await runtime.containerStatus(id, signal)).state, "running");
  });

  it("ends a shim that containerd knows nothing of, with what it left, and no other", async () => {
    await using pod = await runPod(fixture.subject, sandboxConfig(fixture.subject), {}, signal);
    const socket = containerdSocket(fixture.config);
    const folder = await mkdtemp(join(tmpdir(), "skiff-stray-"));
    try {
      const bundle = join(folder, "stray");
      await mkdir(join(bundle, "rootfs"), { recursive: true });
      await writeFile(join(bundle, "config.json"), JSON.stringify({ ociVersion: "1.0.2", annotations: {} }));
      await systemMounts().mountTmpfs(join(bundle, "rootfs"), {}, signal);
      // To all who look at command lines it is a shim.
      const shim = `exec -a /usr/bin/containerd-shim-runc-v2 sh -c 'while true; do sleep 0.1; done' -namespace k8s.io -id stray -address ${socket}`;
      const started = await systemProcesses.start("bash", { args: ["-c", shim], cwd: bundle, log: { kind: "none" } });
      const commandLine = () => readFile(`/proc/${started.identity.pid}/cmdline`, "utf8");
      while (!(await commandLine()).includes("\0stray\0")) await systemClock.sleep(5, signal);
      assert.deepEqual(await fixture.runtime.removeStrays(signal), ["stray"]);
      assert.deepEqual(await fixture.runtime.removeStrays(signal), []);
      await started.exit;
      await assert.rejects(access(bundle), /ENOENT/);
      const { stdout } = await fixture.runtime.execSync(pod.containerId, shell("echo alive"), 5000, signal);
      assert.equal(stdout.toString(), "alive\n");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
