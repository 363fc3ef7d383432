/**
 * What kubectl streams, on a real cluster, each over WebSocket and over SPDY: exit codes, large transfers both ways,
 * terminals, many at once, folders with links, several ports, logs in every selection, debuggers; and images with logins.
 */
import assert from "node:assert/strict";
import { lstat, mkdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Workbench } from "../story/workbench.ts";
import { courseCluster, manifest } from "./course-cluster.ts";

const megabyte = 1024 * 1024;
let bench: Workbench;
const k = (...words: readonly string[]) => bench.kubectl(...words);

const pods = `
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: one, image: "busybox:1.28", command: [sh, -c, "while true; do echo one; echo oops >&2; sleep 1; done"]}
    - {name: two, image: "busybox:1.28", command: [sh, -c, "echo two; exec sleep 36000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: reads}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main, image: "busybox:1.28", stdin: true, command: [sh, -c, "while read x; do echo got $x; done"]}
---
apiVersion: v1
kind: Pod
metadata: {name: talks}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "busybox:1.28"
      command: [sh, -c, "i=0; while true; do i=$((i+1)); printf '%d %0200d\\\\n' $i 0; [ $((i % 100)) = 0 ] && sleep 0.2; done"]
---
apiVersion: v1
kind: Pod
metadata: {name: lines}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "busybox:1.28"
      command: [sh, -c, "for i in 1 2 3 4 5 6 7 8 9; do echo line $i; sleep 0.02; done; exec sleep 36000"]
---
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  containers:
    - name: main
      image: "busybox:1.28"
      command: [sh, -c, "echo life $(cat /v/lives | wc -l); echo x >>/v/lives; [ $(cat /v/lives | wc -l) -gt 1 ] && exec sleep 36000; exit 3"]
      volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, hostPath: {path: HOSTPATH, type: Directory}}]
`;

describe("streams of a real cluster", { timeout: 900_000 }, () => {
  before(async () => {
    bench = await courseCluster("streaming", "--kubelet-arg", "container-log-max-size=200Ki");
    const lives = join(bench.folder, "lives");
    await mkdir(lives);
    await writeFile(join(lives, "lives"), "");
    await k("apply", "-f", await manifest(bench, "pods.yaml", pods.replace("HOSTPATH", lives)));
    await k("wait", "--for=condition=Ready", "pod/shell", "pod/reads", "pod/talks", "--timeout=120s");
  });
  after(() => bench[Symbol.asyncDispose]());

  for (const sockets of ["true", "false"]) {
    const way = sockets === "true" ? "WebSocket" : "SPDY";
    const shell = (line: string, input = "") =>
      bench.shell(
        `export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${sockets} KUBECTL_PORT_FORWARD_WEBSOCKETS=${sockets}; ${line}`,
        input,
      );

    test(`exec over ${way}: exit codes, outputs apart, input to its end`, async () => {
      const failed = await shell("kubectl exec shell -c two -- sh -c 'echo out; echo err >&2; exit 42'");
      assert.deepEqual([failed.code, failed.stdout], [42, "out\n"]);
      assert.equal(failed.stderr, "err\ncommand terminated with exit code 42\n");
      const counted = await shell("kubectl exec -i shell -c two -- wc -c", "x".repeat(3 * megabyte));
      assert.deepEqual([counted.code, counted.stdout.trim()], [0, String(3 * megabyte)]);
      const sent = await shell("kubectl exec shell -c two -- head -c 5242880 /dev/zero | wc -c");
      assert.equal(sent.stdout.trim(), "5242880");
      const both = await shell("head -c 2097152 /dev/zero | kubectl exec -i shell -c two -- cat | wc -c");
      assert.equal(both.stdout.trim(), "2097152");
      const none = await shell("kubectl exec shell -c none -- true");
      assert.match(none.stderr, /container none (is )?not (valid|found)|container not found/);
      const missing = await shell("kubectl exec shell -c two -- /nosuch");
      assert.notEqual(missing.code, 0);
      assert.match(missing.stderr, /no such file or directory/);
    });

    test(`a terminal over ${way} has the size of the user's`, async () => {
      const line = `KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${sockets} kubectl exec -it shell -c two -- sh -c 'until stty size | grep "^33 91"; do sleep 0.1; done; exit 7'`;
      const { code, stdout } = await bench.terminal(line, "", { columns: 91, rows: 33 });
      assert.match(stdout, /33 91/);
      assert.equal(code, 7);
    });

    test(`attach over ${way} reads and writes, and the container outlives it`, async () => {
      const attached = bench.start("env", [
        `KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${sockets}`,
        bench.kubectlProgram,
        ..."attach -i reads".split(" "),
      ]);
      let heard = "";
      attached.stdout?.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      try {
        attached.stdin?.write(`hello over ${way}\n`);
        await bench.eventually("it is answered", async () => assert.match(heard, new RegExp(`got hello over ${way}`)));
      } finally {
        attached.kill("SIGKILL");
      }
      assert.equal(await k("get", "pod", "reads", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"), "0");
    });

    test(`many at once over ${way}`, async () => {
      const runs = Array.from({ length: 12 }, (_, at) =>
        shell(`kubectl exec shell -c two -- sh -c 'echo ${at}; exit ${at}'`),
      );
      const ended = await Promise.all(runs);
      assert.deepEqual(
        ended.map(({ code, stdout }) => [code, stdout]),
        ended.map((_, at) => [at, `${at}\n`]),
      );
    });

    test(`cp over ${way}: a folder with links there and back`, async () => {
      const folder = join(bench.folder, `tree-${way}`);
      await mkdir(join(folder, "deep"), { recursive: true });
      await writeFile(join(folder, "deep/big"), Buffer.alloc(megabyte, "b"));
      await writeFile(join(folder, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
      await symlink("deep/big", join(folder, "link"));
      await k("cp", folder, `shell:/tmp/${way}`, "-c", "two");
      const seen = await shell(
        `kubectl exec shell -c two -- sh -c 'cd /tmp/${way}; readlink link; wc -c <deep/big; ls -l run.sh | cut -c1-10'`,
      );
      assert.deepEqual(seen.stdout.trim().split("\n"), ["deep/big", String(megabyte), "-rwxr-xr-x"]);
      const back = await shell(`kubectl cp shell:/tmp/${way} ${folder}-back -c two`);
      assert.equal(back.code, 0, back.stderr);
      assert.equal((await readFile(join(`${folder}-back`, "deep/big"))).length, megabyte);
      // kubectl does not follow or make links on the way back: they are left out, and it says so.
      await assert.rejects(lstat(join(`${folder}-back`, "link")).then(() => readlink(join(`${folder}-back`, "link"))));
    });

    test(`port-forward over ${way}: several ports, one of them with nobody behind it`, async () => {
      const base = 21_000 + (process.pid % 4000) + (sockets === "true" ? 0 : 4000);
      const said: string[] = [];
      const listen = await shell(
        "kubectl exec shell -c two -- sh -c 'mkdir -p /tmp/site; echo page >/tmp/site/index.html; httpd -p 8081 -h /tmp/site 2>/dev/null; true'",
      );
      assert.equal(listen.code, 0, listen.stderr);
      const words = ["port-forward", "pod/shell", `${base}:8081`, `${base + 1}:65535`];
      const forwarding = bench.start("env", [
        `KUBECTL_PORT_FORWARD_WEBSOCKETS=${sockets}`,
        bench.kubectlProgram,
        ...words,
      ]);
      for (const stream of [forwarding.stdout, forwarding.stderr])
        stream?.on("data", (chunk: Buffer) => said.push(chunk.toString()));
      try {
        await bench.eventually("it forwards", async () => assert.match(said.join(""), /-> 65535/));
        const pages = await Promise.all(Array.from({ length: 5 }, () => ask(base)));
        for (const page of pages) assert.match(page, /page\n$/);
        await ask(base + 1);
        await bench.eventually("it says so", async () =>
          assert.match(
            said.join(""),
            /an error occurred forwarding \d+ -> 65535: .*(connection refused|Connection refused)/,
          ),
        );
      } finally {
        forwarding.kill("SIGKILL");
      }
    });
  }

  test("logs: last lines, bytes, times, since, prefixes, all containers, the life before", async () => {
    assert.equal(await k("logs", "shell", "-c", "two"), "two\n");
    assert.match(await k("logs", "shell", "--all-containers", "--prefix", "--tail=1"), /^\[pod\/shell\/two\] two$/m);
    await bench.eventually("has spoken", async () => assert.match(await k("logs", "lines"), /line 9\n$/));
    assert.equal(await k("logs", "lines", "--tail=3"), "line 7\nline 8\nline 9\n");
    assert.equal(await k("logs", "lines", "--limit-bytes=10"), "line 1\nlin");
    const timed = (await k("logs", "lines", "--timestamps")).trim().split("\n");
    assert.match(timed[0] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1$/);
    const [sinceTime = ""] = (timed[4] ?? "").split(" ");
    const since = (await k("logs", "lines", `--since-time=${sinceTime}`)).trim().split("\n");
    // kubectl sends whole seconds.
    assert.equal(since.at(-1), "line 9");
    assert.deepEqual(
      since,
      timed.slice(-since.length).map((line) => line.split("Z ")[1]),
    );
    await bench.eventually("restarted", async () => {
      const restarts = await k("get", "pod", "again", "-o", "jsonpath={.status.containerStatuses[0].restartCount}");
      assert.equal(restarts, "1");
    });
    assert.equal(await k("logs", "again", "--previous"), "life 0\n");
    await bench.eventually("lives", async () => assert.equal(await k("logs", "again"), "life 1\n"));
    const none = await bench.shell("kubectl logs shell -c two --previous");
    assert.match(none.stderr, /previous terminated container "two" in pod "shell" not found/);
  });

  test("a followed log goes on over rotations, and loses no line", async () => {
    const following = bench.start(bench.kubectlProgram, ["logs", "-f", "talks", "--tail=1"]);
    let text = "";
    following.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    const folder = join(bench.folder, "home/streaming/pod-logs");
    /** Numbers of the rotated files: those before the newest are compressed, and so are others. */
    const rotated = async () => (await bench.shell(`stat -c %i ${folder}/default_talks_*/main/0.log.1`)).stdout.trim();
    try {
      const seenFiles = new Set([""]);
      await bench.eventually(
        "rotates again and again",
        async () => {
          seenFiles.add(await rotated());
          assert.ok(seenFiles.size > 3, [...seenFiles].join());
        },
        180_000,
      );
      const seen = text.length;
      await bench.eventually("goes on", async () => assert.ok(text.length > seen + 10_000));
    } finally {
      following.kill("SIGKILL");
    }
    const numbers = text
      .split("\n")
      .slice(0, -1)
      .map((line) => Number(line.split(" ")[0]));
    const gap = numbers.findIndex((number, at) => at > 0 && number !== (numbers[at - 1] ?? 0) + 1);
    assert.equal(gap, -1, `after line ${numbers[gap - 1]} came ${numbers[gap]}`);
  });

  test("debug: beside a container, in a copy, on the node", async () => {
    const beside = await bench.shell(
      "kubectl debug shell -q --image=busybox:1.28 --target=two --profile=general -c dbg -i -- sh -c 'ps | grep -c \"[s]leep 36000\"'",
    );
    await bench.eventually("has ended", async () => {
      const path = "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}";
      assert.equal(await k("get", "pod", "shell", "-o", path), "0", beside.stderr);
    });
    assert.match(await k("logs", "shell", "-c", "dbg"), /^1$/m);
    const custom = join(bench.folder, "custom.json");
    await writeFile(custom, '{"securityContext":{"runAsUser":1000}}');
    for (const profile of ["baseline", "restricted", "netadmin"]) {
      const name = `dbg-${profile}`;
      const user = profile === "restricted" ? `--custom=${custom}` : "";
      const made = await bench.shell(
        `kubectl debug shell -q --image=busybox:1.28 --profile=${profile} -c ${name} ${user} -- sh -c 'grep CapEff /proc/self/status'`,
      );
      assert.equal(made.code, 0, made.stderr);
      await bench.eventually(`${name} has ended`, async () =>
        assert.match(await k("logs", "shell", "-c", name), /CapEff/),
      );
    }
    // A privileged container needs a sandbox that was made for one.
    await bench.shell("kubectl debug shell -q --image=busybox:1.28 --profile=sysadmin -c dbg-sysadmin -- true");
    await bench.eventually("is refused, and the pod says why", async () => {
      const path = `jsonpath={.status.ephemeralContainerStatuses[?(@.name=="dbg-sysadmin")].state.waiting.message}`;
      assert.match(await k("get", "pod", "shell", "-o", path), /no privileged container allowed in sandbox/);
    });
    const unstarted = await bench.shell("kubectl logs shell -c dbg-sysadmin");
    assert.match(unstarted.stderr, /is waiting to start: CreateContainerError/);
    const copied = await bench.shell(
      "kubectl debug shell -q --copy-to=shell-copy --set-image='*=busybox' --share-processes -c extra --image=busybox:1.28 -- sleep 36000",
    );
    assert.equal(copied.code, 0, copied.stderr);
    await k("wait", "--for=condition=Ready", "pod/shell-copy", "--timeout=60s");
    assert.match(await k("exec", "shell-copy", "-c", "extra", "--", "ps"), /while true; do echo one/);
    const [node = ""] = (await k("get", "nodes", "-o", "name")).trim().split("\n");
    const onNode = await bench.shell(
      `kubectl debug ${node} -q --image=busybox:1.28 --profile=sysadmin -- sh -c 'test -e /host/etc/os-release && test -d /host/proc/1 && hostname'`,
    );
    assert.equal(onNode.code, 0, onNode.stderr);
    await bench.eventually("the node's debugger has ended", async () => {
      const phases = await k("get", "pods", "-o", "jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}");
      assert.match(phases, /node-debugger-\S+=Succeeded/);
    });
  });
});

/** What a web server on this machine answers; empty where the connection is closed. */
function ask(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port }, () => socket.write("GET / HTTP/1.0\r\n\r\n"));
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => resolve(text));
  socket.on("close", () => resolve(text));
  return promise;
}
