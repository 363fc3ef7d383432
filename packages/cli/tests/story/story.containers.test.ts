/** The first story, as a user lives it: one command, stock kubectl, real containers, real packets. Every step builds on the last. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { noTraces, tracesOf } from "./traces.ts";
import { kubectls, Workbench } from "./workbench.ts";

const pod = ".items[0].metadata.name";
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: applied, labels: {made: by-file}}
spec:
  replicas: 1
  selector: {matchLabels: {app: applied}}
  template:
    metadata: {labels: {app: applied}}
    spec:
      containers:
      - {name: hello, image: "skiff/hello:1", env: [{name: COLOR, value: blue}]}
`;

if (kubectls().length > 0) {
  describe("the first story", { timeout: 800_000 }, () => {
    let bench: Workbench;
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const nodePort = async () => k("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
    const firstPod = () =>
      k("get", "pods", "-l", "app=web", "--field-selector=status.phase=Running", "-o", `jsonpath={${pod}}`);
    const answers = async (count: number) => {
      const port = await nodePort();
      const texts: string[] = [];
      for (let index = 0; index < count; index++) {
        const response = await fetch(`http://localhost:${port}/`, { headers: { connection: "close" } });
        texts.push((await response.text()).trim());
      }
      return texts;
    };

    before(async () => {
      bench = await Workbench.create("story");
      const up = await bench.skiff("up");
      assert.equal(up.code, 0, up.stderr);
    });
    after(() => bench[Symbol.asyncDispose]());

    test("one node, Ready", async () => {
      const nodes = await k("get", "nodes", "-o", "wide");
      assert.match(nodes, / Ready +control-plane .* v1\.36\.\d+ .*containerd:\/\//);
      assert.equal((await stat(join(bench.folder, "kubeconfig"))).mode & 0o777, 0o600);
    });

    test("a Deployment rolls out and its pods take turns behind a NodePort", async () => {
      await k("create", "deployment", "web", "--image=skiff/hello", "--replicas=3");
      assert.match(await k("rollout", "status", "deployment/web", "--timeout=60s"), /successfully rolled out/);
      await k("expose", "deployment", "web", "--type=NodePort", "--port=80");
      await bench.eventually("all three answer", async () => {
        assert.equal(new Set(await answers(20)).size, 3);
      });
      assert.match((await answers(1))[0] ?? "", /web-\w+-\w+ \(10\.42\.\d+\.\d+\), version 1/);
    });

    test("what kubectl shows", async () => {
      const all = await k("get", "rs,deploy,po,svc", "-o", "wide");
      assert.match(all, /deployment\.apps\/web +3\/3 +3 +3/);
      assert.match(all, /service\/web +NodePort +10\.\d+\.\d+\.\d+ +<none> +80:\d+\/TCP/);
      assert.match(await k("get", "events"), /ScalingReplicaSet.*Scaled up replica set web-\w+ from 0 to 3/);
      const described = await k("describe", "pod", await firstPod());
      assert.match(described, /Status: +Running/);
      assert.match(described, /Started +.*kubelet/s);
      assert.match(await k("explain", "deployment.spec.replicas"), /FIELD: replicas/);
      assert.match(await k("api-resources"), /deployments +deploy +apps\/v1 +true +Deployment/);
      assert.match(await k("version", "-o", "json"), /"gitVersion": "v1\.36\./);
    });

    test("watching pods", async () => {
      const watching = bench.start(bench.kubectlProgram, ["get", "pods", "-w", "--output-watch-events"]);
      let seen = "";
      watching.stdout?.on("data", (chunk: Buffer) => (seen += chunk.toString()));
      await bench.eventually("it watches", async () => assert.match(seen, /ADDED +web/));
      await k("run", "watched", "--image=skiff/hello");
      await k("wait", "--for=condition=Ready", "pod/watched", "--timeout=60s");
      await k("delete", "pod", "watched", "--now");
      await bench.eventually("the watch shows birth and death", async () => {
        assert.match(seen, /ADDED +watched/);
        assert.match(seen, /DELETED +watched/);
      });
      watching.kill();
    });

    test("logs, exec, terminal, cp, attach, port-forward", async () => {
      const name = await firstPod();
      await answers(12);
      assert.match(await k("logs", name, "--tail=5"), /GET/);
      const following = bench.start(bench.kubectlProgram, ["logs", "-f", name, "--tail=1"]);
      let followed = "";
      following.stdout?.on("data", (chunk: Buffer) => (followed += chunk.toString()));
      await bench.eventually("new lines come", async () => {
        await answers(6);
        assert.ok(followed.split("\n").length > 3);
      });
      following.kill();
      assert.match(await k("exec", name, "--", "id"), /uid=0\(root\)/);
      const failing = await bench.shell(`${bench.kubectlProgram} exec ${name} -- sh -c 'exit 42'`);
      assert.equal(failing.code, 42);
      const counted = await bench.shell(`head -c 100000 /dev/zero | ${bench.kubectlProgram} exec -i ${name} -- wc -c`);
      assert.equal(counted.stdout.trim(), "100000");
      const typed = await bench.terminal(
        `${bench.kubectlProgram} exec -it ${name} -- sh`,
        // What is typed is seen, too: it must not look like what is answered. The size comes after the shell has begun.
        "until stty size | grep '^[4]0 100'; do sleep 0.1; done\ntest -t 0 && echo is-''a-tty\nexit\n",
      );
      assert.match(typed.stdout, /40 100/);
      assert.match(typed.stdout, /is-a-tty/);
      await writeFile(join(bench.folder, "there.txt"), "there and back\n");
      await k("cp", join(bench.folder, "there.txt"), `${name}:/tmp/there.txt`);
      await k("cp", `${name}:/tmp/there.txt`, join(bench.folder, "back.txt"));
      assert.equal(await readFile(join(bench.folder, "back.txt"), "utf8"), "there and back\n");
      const attached = bench.start(bench.kubectlProgram, ["attach", name]);
      let output = "";
      attached.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await bench.eventually("attach shows what the container writes", async () => {
        await answers(6);
        assert.match(output, /GET/);
      });
      attached.kill();
      const port = 18_000 + (process.pid % 1000);
      const forwarding = bench.start(bench.kubectlProgram, ["port-forward", "svc/web", `${port}:80`]);
      await bench.eventually("the forwarded port answers", async () => {
        for (let index = 0; index < 3; index++) {
          const response = await fetch(`http://localhost:${port}/`, { headers: { connection: "close" } });
          assert.match(await response.text(), /version 1/);
        }
      });
      forwarding.kill();
    });

    test("scaling and self-healing", async () => {
      await k("scale", "deployment/web", "--replicas=10");
      await k("rollout", "status", "deployment/web", "--timeout=90s");
      const name = await firstPod();
      await k("delete", "pod", name);
      await bench.eventually("another pod has come", async () => {
        assert.match(await k("get", "deployment", "web"), /10\/10/);
        assert.doesNotMatch(await k("get", "pods"), new RegExp(name));
      });
      await k("scale", "deployment/web", "--replicas=3");
      await bench.eventually("three are left", async () => {
        const pods = await k("get", "pods", "-l", "app=web", "-o", "name");
        assert.equal(pods.trim().split("\n").length, 3);
      });
    });

    test("a killed container restarts, is counted, and backs off", async () => {
      const name = await firstPod();
      const restarts = async () =>
        Number(await k("get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].restartCount}"));
      // The end of the first process takes the `kill` with it, now and then before that has ended itself (137).
      const killFirstProcess = (pod: string) => bench.shell(`${bench.kubectlProgram} exec ${pod} -- kill 1`);
      await killFirstProcess(name);
      await bench.eventually("it has restarted once", async () => assert.equal(await restarts(), 1));
      await bench.eventually("it runs again", async () => assert.match(await k("get", "pod", name), /1\/1 +Running/));
      await killFirstProcess(name);
      await bench.eventually("it waits before the next start", async () =>
        assert.match(await k("get", "pod", name), /CrashLoopBackOff|Completed|Error/),
      );
      await bench.eventually("it has restarted twice", async () => assert.equal(await restarts(), 2));
    });

    test("set image, history, undo", async () => {
      await k("set", "image", "deployment/web", "hello=skiff/hello:2");
      await k("rollout", "status", "deployment/web", "--timeout=90s");
      await bench.eventually("only version 2 answers", async () => {
        for (const text of await answers(9)) assert.match(text, /version 2/);
      });
      assert.match(await k("rollout", "history", "deployment/web"), /1 .*\n2 /);
      await k("rollout", "undo", "deployment/web");
      await k("rollout", "status", "deployment/web", "--timeout=90s");
      await bench.eventually("version 1 is back", async () => {
        for (const text of await answers(6)) assert.match(text, /version 1/);
      });
    });

    test("a wrong image leaves the old pods serving and says why", async () => {
      await k("set", "image", "deployment/web", "hello=nosuch:1");
      await bench.eventually("describe says why", async () => {
        const described = await k("describe", "pods", "-l", "app=web");
        assert.match(described, /Failed to pull image "nosuch:1"/);
        assert.match(await k("get", "pods"), /ErrImagePull|ImagePullBackOff/);
      });
      const stuck = await bench.shell(`${bench.kubectlProgram} rollout status deployment/web --timeout=5s`);
      assert.notEqual(stuck.code, 0);
      for (const text of await answers(6)) assert.match(text, /version 1/);
      await k("rollout", "undo", "deployment/web");
      await k("rollout", "status", "deployment/web", "--timeout=90s");
    });

    test("Services are found by name", async () => {
      const line = `${bench.kubectlProgram} run tmp --image=skiff/hello --rm -it --restart=Never -- wget -qO- http://web`;
      let ran = await bench.terminal(line, "");
      // What a process said before kubectl was attached is not said again: one that ends in just that moment is heard by nobody.
      for (let turn = 1; turn < 4 && /If you don't see[^\n]*\n[^\n]*deleted/.test(ran.stdout); turn++)
        ran = await bench.terminal(line, "");
      assert.match(ran.stdout, /Hello from web-/, ran.stdout);
      const name = await firstPod();
      assert.match(await k("exec", name, "--", "wget", "-qO-", "http://web.default.svc.cluster.local"), /version 1/);
      assert.match(await k("exec", name, "--", "nslookup", "kubernetes.default.svc.cluster.local"), /10\.\d+\.0\.1/);
    });

    test("apply, server-side apply, edit, label, annotate, patch, replace, delete, wait", async () => {
      const file = join(bench.folder, "applied.yaml");
      await writeFile(file, deployment);
      assert.match(await k("apply", "-f", file), /deployment\.apps\/applied created/);
      assert.match(await k("apply", "-f", file), /unchanged/);
      await writeFile(file, deployment.replace("blue", "green"));
      assert.match(await k("apply", "-f", file), /configured/);
      assert.match(await k("apply", "--server-side", "--force-conflicts", "-f", file), /serverside-applied/);
      const diff = await bench.shell(`sed s/green/red/ ${file} | ${bench.kubectlProgram} diff -f -`);
      assert.equal(diff.code, 1, diff.stderr);
      assert.match(diff.stdout, /\+.*red/);
      await k("wait", "--for=condition=Available", "deployment/applied", "--timeout=60s");
      const edited = await bench.shell(
        `KUBE_EDITOR='sed -i s/by-file/by-hand/' ${bench.kubectlProgram} edit deployment applied`,
      );
      assert.equal(edited.code, 0, edited.stderr);
      await k("label", "deployment", "applied", "tier=front");
      await k("annotate", "deployment", "applied", "note=seen");
      await k("patch", "deployment", "applied", "-p", '{"spec":{"replicas":2}}');
      await k("patch", "deployment", "applied", "--type=merge", "-p", '{"metadata":{"labels":{"merge":"yes"}}}');
      await k(
        "patch",
        "deployment",
        "applied",
        "--type=json",
        "-p",
        '[{"op":"add","path":"/metadata/labels/json","value":"yes"}]',
      );
      const labels = JSON.parse(await k("get", "deployment", "applied", "-o", "jsonpath={.metadata.labels}"));
      assert.deepEqual(labels, { made: "by-hand", tier: "front", merge: "yes", json: "yes" });
      const replaced = await bench.shell(
        `${bench.kubectlProgram} get deployment applied -o yaml | sed 's/front/back/' | ${bench.kubectlProgram} replace -f -`,
      );
      assert.match(replaced.stdout, /replaced/, replaced.stderr);
      await k("delete", "-f", file);
      await k("wait", "--for=delete", "pod", "-l", "app=applied", "--timeout=60s");
    });

    test("down and up again: everything comes back", async () => {
      const before = await k("get", "service", "web", "-o", "jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}");
      const down = await bench.skiff("down");
      assert.equal(down.code, 0, down.stderr);
      assert.equal((await bench.skiff("status")).code, 3);
      const up = await bench.skiff("up");
      assert.equal(up.code, 0, up.stderr);
      assert.equal(
        await k("get", "service", "web", "-o", "jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}"),
        before,
      );
      await bench.eventually("the pods serve again", async () => {
        assert.match(await k("get", "deployment", "web"), /3\/3/);
        assert.equal(new Set(await answers(20)).size, 3);
      });
    });

    test("a crash of any process is healed; containers do not notice", async () => {
      const running = await k(
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        "jsonpath={.items[*].status.containerStatuses[0].containerID}",
      );
      const kill = async (...names: readonly string[]) => {
        const { processes } = JSON.parse((await bench.skiff("status", "-o", "json")).stdout);
        const pids = names.map((name) => processes.find((one: { name: string }) => one.name === name).pid);
        for (const pid of pids) process.kill(pid, "SIGKILL");
        await bench.eventually(`${names} are back`, async () => {
          const status = await bench.skiff("status", "-o", "json");
          assert.equal(status.code, 0, status.stdout);
          for (const one of JSON.parse(status.stdout).processes) assert.ok(!pids.includes(one.pid), status.stdout);
        });
        await bench.eventually("the node is Ready", async () => assert.match(await k("get", "nodes"), / Ready /));
      };
      await kill("agent", "server", "containerd");
      await kill("supervisor");
      await kill("agent");
      await answers(3);
      assert.equal(
        await k("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.containerStatuses[0].containerID}"),
        running,
      );
    });

    test("delete leaves nothing behind", async () => {
      const { slot } = JSON.parse((await bench.skiff("status", "-o", "json")).stdout).settings;
      const { links, tables, mounts, cgroups, processes } = tracesOf(bench, slot);
      for (const held of [links, tables, mounts, cgroups, processes]) assert.ok(held.length > 0);
      const deleted = await bench.skiff("delete");
      assert.equal(deleted.code, 0, deleted.stderr);
      assert.deepEqual(tracesOf(bench, slot), noTraces);
      assert.ok(!existsSync(join(bench.folder, "home")));
      assert.doesNotMatch(await readFile(join(bench.folder, "kubeconfig"), "utf8"), /skiff/);
    });
  });
}
