/** Several real nodes on one machine: what pods, Services, kubectl and the command see of them, and that nothing is left. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { courseCluster, manifest } from "../exercises/course-cluster.ts";
import { noTraces, tracesOf } from "../story/traces.ts";
import { kubectls, Workbench } from "../story/workbench.ts";

const hostPort = 29_080;

/** A pod on each node, which tells who asks it. */
const whoami = `apiVersion: v1
kind: ConfigMap
metadata: {name: who}
data:
  who: |
    #!/bin/sh
    client="\${REMOTE_ADDR##*:}"
    body="$NODE \${client%]}"
    printf 'Content-Type: text/plain\\r\\nContent-Length: %d\\r\\n\\r\\n%s\\n' $((\${#body} + 1)) "$body"
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: who}
spec:
  selector: {matchLabels: {app: who}}
  template:
    metadata: {labels: {app: who}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: who
        image: busybox
        command: [sh, -c, echo serving on $NODE; exec httpd -f -p 80 -h /www]
        ports: [{containerPort: 80, hostPort: ${hostPort}}]
        env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        readinessProbe: {httpGet: {path: /cgi-bin/who, port: 80}, periodSeconds: 1}
        volumeMounts: [{name: who, mountPath: /www/cgi-bin}]
      volumes: [{name: who, configMap: {name: who, defaultMode: 0755}}]
`;

/** A Service whose one endpoint is the pod of the node. */
const serviceOn = (name: string, pod: string, policy: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {type: NodePort, externalTrafficPolicy: ${policy}, ports: [{port: 80}], selector: {pod: ${pod}}}
---
`;

interface Place {
  readonly node: string;
  readonly nodeIp: string;
  readonly pod: string;
  readonly podIp: string;
}

if (kubectls().length > 0) {
  describe("several nodes on one machine", { timeout: 900_000 }, () => {
    let bench: Workbench;
    let slot: number;
    let places: readonly [Place, Place];
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const field = (path: string, ...words: readonly string[]) => k("get", ...words, "-o", `jsonpath={${path}}`);
    const settings = async () => JSON.parse((await bench.skiff("status", "-o", "json")).stdout).settings;

    /** What a pod hears from `http://HOST/cgi-bin/who`. */
    const asPod = async (pod: string, host: string) =>
      (await k("exec", pod, "--", "timeout", "20", "wget", "-qO-", `http://${host}/cgi-bin/who`)).trim();
    /** The same for a machine: this one, or that of a further node. */
    const asMachine = async (number: number, host: string) => {
      const inside = number === 1 ? "" : `nsenter --net=/run/netns/skiff${slot}-n${number}`;
      const { stdout } = await bench.shell(`${inside} timeout 5 busybox wget -qO- http://${host}/cgi-bin/who`);
      return stdout.trim();
    };
    const lookAround = async (): Promise<readonly [Place, Place]> => {
      await k("rollout", "status", "daemonset/who", "--timeout=90s");
      const { items } = JSON.parse(await k("get", "pods", "-l", "app=who", "-o", "json"));
      const found: Place[] = items.map(
        (pod: {
          metadata: { name: string };
          spec: { nodeName: string };
          status: { hostIP: string; podIP: string };
        }) => ({
          node: pod.spec.nodeName,
          nodeIp: pod.status.hostIP,
          pod: pod.metadata.name,
          podIp: pod.status.podIP,
        }),
      );
      const [one, two] = found.sort((a, b) => (a.node < b.node ? -1 : 1));
      assert.ok(one !== undefined && two !== undefined && found.length === 2, JSON.stringify(found));
      for (const { node, pod } of found)
        await k("label", "pod", pod, `pod=${node === one.node ? "one" : "two"}`, "--overwrite");
      return [one, two];
    };

    before(async () => {
      bench = await courseCluster("several", "--nodes", "2");
      slot = (await settings()).slot;
      await k("apply", "-f", await manifest(bench, "who.yaml", whoami));
      places = await lookAround();
      const services = [
        serviceOn("one", "one", "Cluster"),
        serviceOn("two", "two", "Cluster"),
        serviceOn("local", "two", "Local"),
      ];
      await k("apply", "-f", await manifest(bench, "services.yaml", services.join("")));
    });
    after(() => bench[Symbol.asyncDispose]());

    const nodePort = (service: string) => field(".spec.ports[0].nodePort", "service", service);

    test("both are Ready, the second with a name and an address of its own", async () => {
      const [one, two] = places;
      assert.equal(two.node, `${one.node}-2`);
      assert.match(two.nodeIp, /^10\.201\.\d+\.2$/);
      const status = await bench.skiff("status");
      assert.match(status.stdout, new RegExp(`${two.node}: agent +running`));
      assert.match((await bench.skiff("image", "list")).stdout, /busybox:latest .* all/);
    });

    test("pods meet pods of the other node, which see their own addresses", async () => {
      const [one, two] = places;
      // Each node hears of the other's pods by itself.
      await bench.eventually("all meet", async () => {
        assert.equal(await asPod(one.pod, two.podIp), `${two.node} ${one.podIp}`);
        assert.equal(await asPod(two.pod, one.podIp), `${one.node} ${two.podIp}`);
        assert.equal(await asMachine(1, two.podIp), `${two.node} ${await gateway()}`);
      });
    });

    test("Services are found by name from both nodes, wherever their pods are", async () => {
      const [one, two] = places;
      for (const here of places) {
        const other = here === one ? two : one;
        const service = other === one ? "one" : "two";
        await bench.eventually(`${here.node} reaches ${service}`, async () =>
          assert.equal(await asPod(here.pod, `${service}.default.svc.cluster.local`), `${other.node} ${here.podIp}`),
        );
      }
      // A pod that reaches itself does not see its own address.
      await bench.eventually("a pod reaches itself", async () =>
        assert.match(await asPod(two.pod, "two"), new RegExp(`^${two.node} (?!${two.podIp}$)`)),
      );
      for (const { pod } of places) {
        const ask = "timeout 20 nc kubernetes.default.svc.cluster.local 443 < /dev/null && echo reached";
        assert.match(await k("exec", pod, "--", "sh", "-c", ask), /reached/);
      }
    });

    test("node ports lead to the other node's pods, and clients' addresses are hidden only where they must be", async () => {
      const [one, two] = places;
      const [toOne, toTwo, local] = [await nodePort("one"), await nodePort("two"), await nodePort("local")];
      await bench.eventually("node ports answer", async () => {
        assert.match(await asMachine(1, `127.0.0.1:${toTwo}`), new RegExp(`^${two.node} `));
        assert.match(await asMachine(1, `${one.nodeIp}:${toTwo}`), new RegExp(`^${two.node} `));
        assert.match(await asMachine(1, `${two.nodeIp}:${toOne}`), new RegExp(`^${one.node} `));
        const seen = `${two.node} ${await gateway()}`;
        assert.equal(await asMachine(2, `${one.nodeIp}:${toTwo}`), seen, "by way of node 1");
        assert.equal(await asMachine(1, `${two.nodeIp}:${local}`), seen, "kept where it can be");
      });
      assert.equal(await asMachine(2, `${one.nodeIp}:${local}`), "", "no endpoint there");
    });

    test("ports of the second node lead to its pod", async () => {
      const [, two] = places;
      await bench.eventually("its port answers", async () =>
        assert.match(await asMachine(1, `${two.nodeIp}:${hostPort}`), new RegExp(`^${two.node} `)),
      );
    });

    test("kubectl works with pods of the second node", async () => {
      const [, two] = places;
      assert.equal((await k("logs", two.pod)).trim(), `serving on ${two.node}`);
      assert.equal((await k("exec", two.pod, "--", "sh", "-c", "echo $NODE")).trim(), two.node);
      const forward = bench.start(bench.kubectlProgram, ["port-forward", two.pod, ":80"]);
      try {
        const { promise, resolve } = Promise.withResolvers<string>();
        forward.stdout?.on("data", (chunk: Buffer) => resolve(/127\.0\.0\.1:(\d+)/.exec(String(chunk))?.[1] ?? ""));
        const answer = await fetch(`http://127.0.0.1:${await promise}/cgi-bin/who`);
        assert.match(await answer.text(), new RegExp(`^${two.node} `));
      } finally {
        forward.kill();
      }
      await bench.eventually("both nodes are measured", async () =>
        assert.equal((await k("top", "nodes")).trim().split("\n").length, 3),
      );
    });

    test("draining the second node moves its pods", async () => {
      const [one, two] = places;
      await k("create", "deployment", "mover", "--image=busybox", "--replicas=4", "--", "sleep", "3600");
      await k("rollout", "status", "deployment/mover", "--timeout=60s");
      const where = () => field(".items[*].spec.nodeName", "pods", "-l", "app=mover");
      assert.match(await where(), new RegExp(`${two.node}`), "pods are spread");
      await k("drain", two.node, "--ignore-daemonsets", "--force", "--grace-period=1", "--timeout=90s");
      await k("rollout", "status", "deployment/mover", "--timeout=60s");
      assert.deepEqual(new Set((await where()).split(" ")), new Set([one.node]));
      await k("uncordon", two.node);
      await k("delete", "deployment", "mover", "--wait=true");
    });

    test("down and up bring both back", async () => {
      assert.equal((await bench.skiff("down")).code, 0);
      assert.deepEqual(ours().namespaces, []);
      const up = await bench.skiff("up");
      assert.match(up.stderr, new RegExp(`Node ${places[1].node} is Ready`));
      await bench.eventually("the pods run again", async () => {
        places = await lookAround();
        const [one, two] = places;
        assert.equal(await asPod(one.pod, two.podIp), `${two.node} ${one.podIp}`);
      });
    });

    test("nodes are added and removed while the cluster runs", async () => {
      const more = await bench.skiff("up", "--nodes", "3");
      assert.equal(more.code, 0, more.stderr);
      await k("wait", "--for=condition=Ready", `node/${places[0].node}-3`, "--timeout=60s");
      assert.match((await bench.skiff("image", "list")).stdout, /busybox:latest .* \S+,\S+/, "the third has none yet");
      const fewer = await bench.skiff("up", "--nodes", "1");
      assert.equal(fewer.code, 0, fewer.stderr);
      assert.deepEqual((await k("get", "nodes", "-o", "name")).trim().split("\n"), [`node/${places[0].node}`]);
      const { links, namespaces } = ours();
      assert.deepEqual([links, namespaces], [[`skiff${slot}`], []], "nor their network");
      const again = await bench.skiff("up", "--nodes", "2");
      assert.equal(again.code, 0, again.stderr);
    });

    test("delete leaves nothing", async () => {
      const { namespaces, links, processes, portRules } = ours();
      assert.ok(namespaces.length > 0 && links.length > 1 && processes.length > 4 && portRules.length > 0);
      assert.equal((await bench.skiff("delete")).code, 0);
      assert.deepEqual(ours(), noTraces);
    });

    test("delete leaves nothing of a start that was killed before its nodes came to be", async () => {
      await using killed = await Workbench.create("killed");
      await killed.killedBefore("/admin.kubeconfig", "up", "--nodes", "2");
      const { slot } = JSON.parse(await readFile(join(killed.home, killed.name, "cluster.json"), "utf8"));
      assert.ok(tracesOf(killed, slot).links.includes(`skiff${slot}n`), "the network of its nodes is there");
      assert.equal((await killed.skiff("delete")).code, 0);
      assert.deepEqual(tracesOf(killed, slot), noTraces);
    });

    /** This machine in the network of its nodes. */
    const gateway = async () => `${(await settings()).nodes.range.replace(/0\/24$/, "1")}`;

    const ours = () => tracesOf(bench, slot);
  });
}
