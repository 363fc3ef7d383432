/**
 * A node that joined, with stock kubectl: a second home whose processes are in a network namespace, which is as another machine
 * to the cluster.
 */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  addNamespaceMember,
  type NamespaceNetwork,
  removeNamespaceMember,
  removeNamespaceNetwork,
  setUpNamespaceNetwork,
  systemNetwork,
  systemNftables,
  systemProcesses,
  systemSysctls,
} from "@skiff/host";
import { courseCluster, manifest } from "../exercises/course-cluster.ts";
import { courseImages } from "../exercises/course-images.ts";
import type { Outcome, Workbench } from "../story/workbench.ts";

const { signal } = new AbortController();
const effects = { processes: systemProcesses, nftables: systemNftables(), sysctls: systemSysctls };
const id = `skj${process.pid}`;
/** Tests of several checkouts may run on one machine. */
const subnet = `10.217.${process.pid % 250}`;
const member = { namespace: `${id}-2`, link: `${id}n2`, address: `${subnet}.2/24` };
const launcher = join(import.meta.dirname, "../../bin/skiff.js");

const pod = (name: string, node: string) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 1
  nodeSelector: {kubernetes.io/hostname: ${node}}
  containers:
    - name: main
      image: busybox:1.28
      command: [sh, -c, "echo I am ${name}; mkdir /w; echo page of ${name} >/w/index.html; exec httpd -f -p 8080 -h /w"]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  selector: {app: ${name}}
  ports: [{port: 80, targetPort: 8080}]
---
`;

const late = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: late}
provisioner: hostpath.csi.skiff.dev
volumeBindingMode: WaitForFirstConsumer
---
`;

/** A claim and a pod that writes into it. */
const keeper = (name: string, { storageClass, node }: { readonly storageClass: string; readonly node?: string }) =>
  `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {storageClassName: ${storageClass}, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  nodeSelector: {${node === undefined ? "" : `kubernetes.io/hostname: ${node}`}}
  containers:
    - name: main
      image: busybox:1.28
      command: [sh, -c, "echo kept >/data/file; exec sleep 3600"]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: ${name}}}]
---
`;

describe("a node that joined", { timeout: 900_000 }, () => {
  let bench: Workbench;
  let network: NamespaceNetwork;
  let first: string;
  const home = () => join(bench.folder, "second");
  const k = (...words: readonly string[]) => bench.kubectl(...words);
  /** `skiff WORDS…` on the second machine. */
  const there = (...words: readonly string[]): Promise<Outcome> => {
    const where = ["--home", home(), "--name", bench.name];
    return bench.run("nsenter", [
      `--net=/run/netns/${member.namespace}`,
      process.execPath,
      launcher,
      ...words,
      ...where,
    ]);
  };
  const page = (from: string, url: string) => k("exec", from, "--", "wget", "-qO-", url);

  before(async () => {
    bench = await courseCluster("joined");
    first = await k("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");
    const neighbour = await systemNetwork().addresses.primaryIPv4();
    network = { bridge: id, gateway: `${subnet}.1/24`, table: id, inside: [], neighbour };
    await setUpNamespaceNetwork(network, effects, signal);
    await addNamespaceMember(network, member, effects, signal);
  });
  after(async () => {
    await there("delete").catch(() => {});
    await bench[Symbol.asyncDispose]();
    await removeNamespaceMember(member, effects, signal);
    await removeNamespaceNetwork(network, effects, signal);
  });

  test("joins by the command that the token's maker prints, and refuses wrong ones", async () => {
    const made = await bench.skiff("token", "create", "--print-join-command", "--ttl", "1h", "--description", "second");
    const [, ...words] = made.stdout.trim().split(" ");
    assert.equal(words[0], "join", made.stderr);
    const wrong = words.map((word) => word.replace(/^sha256:.{4}/, "sha256:0000"));
    const refused = await there(...wrong, "--node-name", "second");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /it is another cluster/);
    const taken = await there(...words, "--node-name", first);
    assert.match(taken.stderr, /use another --node-name/);
    const joined = await there(...words, "--node-name", "second");
    assert.equal(joined.code, 0, joined.stderr);
    assert.match(joined.stderr, /Node second of https:\/\/\S+ is Ready after/);
    const nodes = await k(
      "get",
      "nodes",
      "-o",
      "jsonpath={range .items[*]}{.metadata.name}={.status.addresses[0].address} {end}",
    );
    assert.ok(nodes.includes(`second=${subnet}.2 `), nodes);
    const csr = await k(
      "get",
      "csr",
      "-o",
      "jsonpath={range .items[*]}{.spec.signerName}={.status.conditions[*].type} {end}",
    );
    assert.deepEqual(csr.trim().split(" ").sort(), [
      "kubernetes.io/kube-apiserver-client-kubelet=Approved",
      "kubernetes.io/kubelet-serving=Approved",
    ]);
    const { stdout } = await there("status", "-o", "json");
    assert.match(stdout, /"state": "running"/);
    assert.deepEqual((await there("token", "list")).code, 1, "that is done where the cluster is");
  });

  test("runs pods that kubectl reaches, and that others reach", async () => {
    const loaded = await there("image", "load", ...(await courseImages(bench.folder)));
    assert.equal(loaded.code, 0, loaded.stderr);
    await k("apply", "-f", await manifest(bench, "pods.yaml", pod("near", first) + pod("far", "second")));
    await k("wait", "--for=condition=Ready", "pod/near", "pod/far", "--timeout=60s");
    // Ready, it has begun; it need not have come far.
    await bench.eventually("it has begun", async () => {
      assert.equal(await k("logs", "far"), "I am far\n");
      assert.equal(await k("exec", "far", "--", "cat", "/w/index.html"), "page of far\n");
    });
    const port = 18_000 + (process.pid % 1000);
    const forward = bench.start("kubectl", ["port-forward", "pod/far", `${port}:8080`]);
    try {
      await bench.eventually("the forwarded port answers", async () => {
        assert.equal((await bench.shell(`wget -qO- -T 5 http://127.0.0.1:${port}/`)).stdout, "page of far\n");
      });
    } finally {
      forward.kill();
    }
    const address = await k("get", "pod", "far", "-o", "jsonpath={.status.podIP}");
    await bench.eventually("pods reach each other", async () => {
      assert.equal(await page("near", `http://${address}:8080/`), "page of far\n");
      assert.equal(await page("near", "http://far/"), "page of far\n");
      assert.equal(await page("far", "http://near.default.svc.cluster.local/"), "page of near\n");
    });
    await bench.eventually("its use is told", async () => assert.match(await k("top", "node"), /^second\s+\d+m/m));
  });

  test("has volumes of its own, where the class waits for the pod; others are made where the server is", async () => {
    const now = keeper("now", { storageClass: "standard" });
    const pinned = keeper("pinned", { storageClass: "late", node: "second" });
    await k("apply", "-f", await manifest(bench, "keepers.yaml", [late, now, pinned].join("")));
    await k("wait", "--for=condition=Ready", "pod/now", "pod/pinned", "--timeout=60s");
    assert.equal(await k("get", "pod", "now", "-o", "jsonpath={.spec.nodeName}"), first);
    const volumes = join(home(), bench.name, "volumes", "volumes");
    const name = await k("get", "pvc", "pinned", "-o", "jsonpath={.spec.volumeName}");
    assert.deepEqual(await readdir(volumes), [name]);
    await k("delete", "-f", join(bench.folder, "keepers.yaml"), "--wait=true");
    await bench.eventually("its data is gone", async () => assert.deepEqual(await readdir(volumes), []));
  });

  test("comes back with its pods after it was stopped, without a token", async () => {
    assert.equal((await there("down")).code, 0);
    const again = await there("join");
    assert.equal(again.code, 0, again.stderr);
    await bench.eventually("its pod runs again", async () => {
      assert.equal(await k("exec", "far", "--", "cat", "/w/index.html"), "page of far\n");
      assert.equal(await k("logs", "far"), "I am far\n");
    });
  });

  test("another supervisor comes when it is killed", async () => {
    const supervisor = async () => {
      const status: unknown = JSON.parse((await there("status", "-o", "json")).stdout);
      return JSON.stringify(status).match(
        /"pid":(\d+),"startTicks":\d+,"name":"supervisor"|"name":"supervisor","pid":(\d+)/,
      );
    };
    const found = await supervisor();
    const pid = Number(found?.[1] ?? found?.[2]);
    assert.ok(pid > 1, JSON.stringify(found));
    process.kill(pid, "SIGKILL");
    await bench.eventually("there is another", async () => {
      const now = await supervisor();
      assert.notEqual(Number(now?.[1] ?? now?.[2]), pid);
      assert.equal((await there("status")).code, 0);
    });
  });

  test("is gone without a trace when it is deleted, but for its object", async () => {
    const settings = JSON.parse((await there("status", "-o", "json")).stdout);
    const deleted = await there("delete");
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.match(deleted.stderr, /kubectl delete node second/);
    await k("delete", "node", "second");
    assert.deepEqual(await readdir(bench.folder).then((names) => names.filter((name) => name === "second")), []);
    const inside = systemNetwork(systemProcesses, { namespace: member.namespace });
    const links = (await inside.links.list(signal)).map(({ name }) => name);
    assert.deepEqual(
      links.filter((name) => name !== "lo" && !name.startsWith("eth")),
      [],
    );
    assert.equal(await systemProcesses.output("ip", { args: ["netns", "pids", member.namespace] }, signal), "");
    assert.ok(settings.settings.slot >= 0);
    const rules = ["netns", "exec", member.namespace, "nft", "list", "tables"];
    assert.equal(await systemProcesses.output("ip", { args: rules }, signal), "");
  });
});
