/** The course's exercises on NodePorts and autoscaling, as printed, and simulated nodes beside the real one. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectls, type Workbench } from "../story/workbench.ts";
import { courseCluster, manifest } from "./course-cluster.ts";
import { echoHname, hpaExample, nodePortService, onSimulatedNodes } from "./manifests.ts";

if (kubectls().length > 0) {
  describe("services and scale", { timeout: 800_000 }, () => {
    let bench: Workbench;
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const apply = async (name: string, text: string) => k("apply", "-f", await manifest(bench, name, text));
    const answer = async (address: string) =>
      (await (await fetch(`http://${address}/`, { headers: { connection: "close" } })).text()).trim();
    const answering = async (address: string, count: number) => {
      const names = new Set<string>();
      for (let index = 0; index < count; index++) names.add(await answer(address));
      return names;
    };

    before(async () => {
      bench = await courseCluster("services", "--simulated-nodes", "3");
    });
    after(() => bench[Symbol.asyncDispose]());

    test("a NodePort of one's own choice, another by expose; more pods join", async () => {
      await apply("echo-hname.yaml", echoHname);
      await k("rollout", "status", "deployment/echo-hname", "--timeout=60s");
      await apply("service.yaml", nodePortService);
      const ip = await k(
        "get",
        "node",
        "-l",
        "!type",
        "-o",
        'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
      );
      for (const host of [ip, "localhost"]) {
        await bench.eventually(`three pods answer at ${host}:30000`, async () => {
          assert.equal((await answering(`${host}:30000`, 20)).size, 3);
        });
      }
      await k("expose", "deployment", "echo-hname", "--type=NodePort", "--name=exposed", "--port=80");
      const port = Number(await k("get", "service", "exposed", "-o", "jsonpath={.spec.ports[0].nodePort}"));
      assert.ok(port > 30_000 && port <= 32_767, String(port));
      await k("scale", "deployment", "echo-hname", "--replicas=6");
      await k("rollout", "status", "deployment/echo-hname", "--timeout=60s");
      await bench.eventually("six pods answer", async () => {
        assert.equal((await answering(`localhost:${port}`, 40)).size, 6);
      });
      const taken = await bench.shell(
        `sed 's/name: echo-hname$/name: second/' ${await manifest(bench, "taken.yaml", nodePortService)} | ${bench.kubectlProgram} apply -f -`,
      );
      assert.match(taken.stderr, /provided port is already allocated/);
      await k("scale", "deployment", "echo-hname", "--replicas=1");
    });

    test("pods come to simulated nodes only when they ask", async () => {
      assert.equal((await k("get", "nodes", "-l", "type=kwok", "-o", "name")).trim().split("\n").length, 3);
      const where = await k("get", "pods", "-A", "-o", "jsonpath={.items[*].spec.nodeName}");
      assert.doesNotMatch(where, /simulated-/);
      await apply("simulated.yaml", onSimulatedNodes);
      await k("rollout", "status", "deployment/simulated", "--timeout=60s");
      const pods = await k("get", "pods", "-l", "app=simulated", "-o", "wide");
      assert.equal(pods.match(/ 1\/1 +Running .* simulated-[123] /g)?.length, 30);
      await bench.eventually("their usage is measured", async () => {
        const top = await k("top", "pods", "-l", "app=simulated");
        assert.equal(top.match(/ 250m +64Mi/g)?.length, 30, top);
      });
      await k("delete", "deployment", "simulated");
      await k("wait", "--for=delete", "pod", "-l", "app=simulated", "--timeout=60s");
    });

    test("an autoscaler follows the load, up and down", async () => {
      await apply("hpa-example.yaml", hpaExample);
      await k("rollout", "status", "deployment/php-apache", "--timeout=60s");
      await bench.eventually("its pods are measured", async () =>
        assert.match(await k("top", "pods", "-l", "run=php-apache"), /php-apache-\S+ +\d+m +\d+Mi/),
      );
      assert.match(await k("top", "nodes"), /services +\d+m +\d+% +\d+Mi +\d+%/);
      const edit = `KUBE_EDITOR="sed -i 's/cpu: 500m/cpu: 400m/'" ${bench.kubectlProgram} edit deployment php-apache`;
      const edited = await bench.shell(edit);
      assert.match(edited.stdout, /deployment\.apps\/php-apache edited/, edited.stderr);
      await k("rollout", "status", "deployment/php-apache", "--timeout=60s");
      await k("autoscale", "deployment", "php-apache", "--min=1", "--max=4", "--cpu-percent=50");
      await bench.eventually(
        "its usage is known",
        async () =>
          assert.match(await k("get", "hpa", "php-apache"), /Deployment\/php-apache +(?:cpu: )?\d+%\/50% +1 +4 +1/),
        90_000,
      );
      await k("run", "load", "--image=busybox", "--", "sh", "-c", "while true; do wget -q -O- http://php-apache; done");
      await bench.eventually(
        "load makes pods come",
        async () => assert.match(await k("get", "hpa", "php-apache"), /\d+%\/50% +1 +4 +[234] /),
        120_000,
      );
      assert.match(
        await k("describe", "hpa", "php-apache"),
        /SuccessfulRescale.*New size: \d; reason: cpu resource utilization/,
      );
      await k("delete", "pod", "load", "--now");
      const patch = '{"spec":{"behavior":{"scaleDown":{"stabilizationWindowSeconds":0}}}}';
      await k("patch", "hpa", "php-apache", "--type=merge", "-p", patch);
      await bench.eventually(
        "rest makes them go",
        async () => assert.match(await k("get", "hpa", "php-apache"), /\d+%\/50% +1 +4 +1 /),
        180_000,
      );
    });
  });
}
