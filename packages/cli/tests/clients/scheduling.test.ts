/** `skiff up --scheduler-config FILE` with stock kubectl: profiles place pods; who may view may ask why. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { isJsonObject } from "@skiff/base";
import { kubectls, Workbench } from "../story/workbench.ts";

const configuration = (extender: string) => `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packer
  plugins:
    score:
      disabled: [{ name: "*" }]
      enabled: [{ name: NodeResourcesFit }]
  pluginConfig:
  - name: NodeResourcesFit
    args: { scoringStrategy: { type: MostAllocated } }
extenders:
- urlPrefix: ${extender}
  filterVerb: filter
  nodeCacheCapable: true
  managedResources: [{ name: example.com/licence, ignoredByScheduler: true }]
`;

/** An extender that has one licence, on simulated-2: it is the first pod's, however often it is asked about that. */
async function licenceServer(): Promise<Server> {
  let holder: string | undefined;
  const server = createServer(async (request, response) => {
    const asked: unknown = await json(request);
    assert.ok(isJsonObject(asked) && Array.isArray(asked.NodeNames));
    assert.ok(isJsonObject(asked.Pod) && isJsonObject(asked.Pod.metadata));
    const uid = String(asked.Pod.metadata.uid);
    const isLeft = (name: unknown) => name === "simulated-2" && (holder ?? uid) === uid;
    const names = asked.NodeNames.filter(isLeft);
    const refused = asked.NodeNames.filter((name) => !isLeft(name)).map((name) => [String(name), "no licence left"]);
    if (names.length > 0) holder = uid;
    response.end(JSON.stringify({ NodeNames: names, FailedAndUnresolvableNodes: Object.fromEntries(refused) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const launcher = join(import.meta.dirname, "../../bin/skiff.js");

const pod = (name: string, schedulerName: string, requests: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    schedulerName,
    nodeSelector: { type: "kwok" },
    tolerations: [{ operator: "Exists" }],
    containers: [{ name: "main", image: "any", resources: { requests, limits: requests } }],
  },
});

if (kubectls().length > 0) {
  describe("a scheduler that is configured", () => {
    let bench: Workbench;
    let licences: Server;
    let configured: string;
    const up = (file: string) =>
      bench.skiff("up", "--runtime", "simulated", "--simulated-nodes", "3", "--scheduler-config", file);
    const create = async (...made: Parameters<typeof pod>) => {
      const outcome = await bench.run(bench.kubectlProgram, ["create", "-f", "-"], JSON.stringify(pod(...made)));
      assert.equal(outcome.code, 0, outcome.stderr);
    };
    const field = (name: string, path: string) => bench.kubectl("get", "pod", name, "-o", `jsonpath={${path}}`);

    before(async () => {
      bench = await Workbench.create("planner");
      licences = await licenceServer();
      const address = licences.address();
      assert.ok(address !== null && typeof address === "object");
      configured = configuration(`http://127.0.0.1:${address.port}`);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
      licences.close();
      licences.closeAllConnections();
    });

    test("what cannot be used is refused before anything starts", async () => {
      const file = join(bench.folder, "wrong.yaml");
      await writeFile(file, configured.replace("profiles:", "profilez:"));
      const refused = await up(file);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /wrong\.yaml: strict decoding error: unknown field "profilez"/);
    });

    test("profiles place the pods that name them, and pods of others are left alone", async () => {
      const file = join(bench.folder, "scheduler.yaml");
      await writeFile(file, configured);
      const started = await up(file);
      assert.equal(started.code, 0, started.stderr);
      await create("stranger", "somebody-else", {});
      await create("anchor", "default-scheduler", { cpu: "1" });
      await bench.kubectl("wait", "--for=condition=PodScheduled", "pod/anchor", "--timeout=240s");
      for (const name of ["packed-1", "packed-2", "packed-3"]) await create(name, "packer", { cpu: "1" });
      await bench.kubectl(
        "wait",
        "--for=condition=PodScheduled",
        "pod/packed-1",
        "pod/packed-2",
        "pod/packed-3",
        "--timeout=240s",
      );
      const anchor = await field("anchor", ".spec.nodeName");
      for (const name of ["packed-1", "packed-2", "packed-3"])
        assert.equal(await field(name, ".spec.nodeName"), anchor);
      await bench.eventually("the event is there", async () =>
        assert.match(
          await bench.kubectl("describe", "pod", "packed-1"),
          /Scheduled +\S+ +packer +Successfully assigned/,
        ),
      );
      assert.equal(await field("stranger", ".spec.nodeName"), "");
      assert.equal(await field("stranger", ".status.conditions"), "");
    });

    test("an extender is asked about pods that want what it manages", async () => {
      await create("licensed", "default-scheduler", { "example.com/licence": "1" });
      await bench.kubectl("wait", "--for=condition=PodScheduled", "pod/licensed", "--timeout=240s");
      assert.equal(await field("licensed", ".spec.nodeName"), "simulated-2");
      await create("unlicensed", "default-scheduler", { "example.com/licence": "1" });
      await bench.kubectl("wait", "--for=condition=PodScheduled=false", "pod/unlicensed", "--timeout=240s");
      const told = await bench.run(process.execPath, [launcher, "why", "pod/unlicensed"]);
      assert.match(told.stdout, /simulated-1 .*Extender.*no licence left/, told.stderr);
    });

    test("whoever may view pods may ask why they are where they are, and nobody else", async () => {
      await create("large", "packer", { cpu: "1k" });
      await bench.kubectl("wait", "--for=condition=PodScheduled=false", "pod/large", "--timeout=240s");
      const told = await bench.run(process.execPath, [launcher, "why", "pod/large"]);
      assert.match(told.stdout, /Insufficient cpu/, told.stderr);
      await bench.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--user=alice");
      const path = "/api/v1/namespaces/default/pods/large/scheduling";
      const ask = (user: string) => bench.run(bench.kubectlProgram, ["get", "--raw", path, "--as", user]);
      await bench.eventually("the binding holds", async () => assert.equal((await ask("alice")).code, 0));
      const answer: unknown = JSON.parse((await ask("alice")).stdout);
      assert.ok(answer !== null && typeof answer === "object" && "kind" in answer && "message" in answer);
      assert.equal(answer.kind, "PodScheduling");
      assert.match(String(answer.message), /^0\/4 nodes are available: .*3 Insufficient cpu/);
      const denied = await ask("bob");
      assert.notEqual(denied.code, 0);
      assert.match(denied.stderr, /pods "large" is forbidden: User "bob" cannot get resource "pods\/scheduling"/);
      const can = (verb: string, user: string) =>
        bench.run(bench.kubectlProgram, ["auth", "can-i", verb, "pods", "--subresource=scheduling", "--as", user]);
      assert.equal((await can("get", "alice")).stdout.trim(), "yes");
      assert.equal((await can("delete", "alice")).stdout.trim(), "no");
      assert.equal((await can("get", "bob")).stdout.trim(), "no");
    });
  });
}
