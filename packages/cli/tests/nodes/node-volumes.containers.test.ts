/** Volumes on the disks of several nodes: each is made, copied, enlarged and deleted on its own, and nothing is left. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { courseCluster, manifest } from "../exercises/course-cluster.ts";
import { traces } from "../story/traces.ts";
import { kubectls, type Workbench } from "../story/workbench.ts";

const launcher = join(import.meta.dirname, "../../bin/skiff.js");
const topologyKey = "topology.hostpath.csi.skiff.dev/node";
const main = `name: main
    image: busybox
    command: [sh, -c, "hostname >>/data/file; exec sleep 3600"]
    volumeMounts: [{name: data, mountPath: /data}]`;
const request = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}";

/** Two pods that never share a node, each with a claim. */
const keepers = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: keeper}
spec:
  replicas: 2
  selector: {matchLabels: {app: keeper}}
  template:
    metadata: {labels: {app: keeper}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: keeper}}}
      containers:
      - ${main.replaceAll("\n", "\n    ")}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {${request}}
---
`;

/** A claim and its pod. */
const claimed = (name: string, more: { readonly pod: string; readonly claim?: string }) => `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {${request}${more.claim === undefined ? "" : `, ${more.claim}`}}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  ${more.pod}
  containers:
  - ${main}
  volumes: [{name: data, persistentVolumeClaim: {claimName: ${name}}}]
---
`;

const only = (node: string) => `nodeSelector: {kubernetes.io/hostname: ${node}}`;

const rather = (node: string) => {
  const matchExpressions = `[{key: kubernetes.io/hostname, operator: In, values: [${node}]}]`;
  const preferred = `[{weight: 100, preference: {matchExpressions: ${matchExpressions}}}]`;
  return `affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: ${preferred}}}`;
};

const early = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: early}
provisioner: hostpath.csi.skiff.dev
---
`;

const snapshot = `apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshotClass
metadata: {name: snapshots}
driver: hostpath.csi.skiff.dev
deletionPolicy: Delete
---
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: taken}
spec: {volumeSnapshotClassName: snapshots, source: {persistentVolumeClaimName: source}}
`;

if (kubectls().length > 0) {
  describe("volumes on the disks of several nodes", { timeout: 900_000 }, () => {
    let bench: Workbench;
    let slot: number;
    let nodes: readonly [string, string];
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const field = (path: string, ...words: readonly string[]) => k("get", ...words, "-o", `jsonpath={${path}}`);
    const apply = async (name: string, text: string) => k("apply", "-f", await manifest(bench, `${name}.yaml`, text));
    const home = () => join(bench.folder, "home", bench.name);
    /** What a node keeps on its disk. */
    const stored = (number: 1 | 2, kind = "volumes"): Promise<readonly string[]> =>
      readdir(join(number === 1 ? home() : join(home(), "nodes", "2"), "volumes", kind)).catch(() => []);
    const nothingLeft = () =>
      bench.eventually("volumes and their data are gone", async () => {
        assert.equal((await k("get", "pv", "-o", "name")).trim(), "");
        assert.deepEqual([await stored(1), await stored(2)], [[], []]);
      });
    /** `skiff WORDS…` on the second node. */
    const onSecond = async (...words: readonly string[]) => {
      const where = ["--home", join(home(), "nodes"), "--name", "2"];
      const network = `--net=/run/netns/skiff${slot}-n2`;
      const { code, stderr } = await bench.run("nsenter", [network, process.execPath, launcher, ...words, ...where]);
      assert.equal(code, 0, stderr);
    };

    before(async () => {
      bench = await courseCluster("node-volumes", "--nodes", "2");
      slot = JSON.parse((await bench.skiff("status", "-o", "json")).stdout).settings.slot;
      const [first = "", second = ""] = (await field(".items[*].metadata.name", "nodes")).split(" ").sort();
      nodes = [first, second];
    });
    after(() => bench[Symbol.asyncDispose]());

    test("two pods that keep apart have each a volume on its own node, until its claim is deleted", async () => {
      assert.equal(await field(".volumeBindingMode", "storageclass", "standard"), "WaitForFirstConsumer");
      await apply("keepers", keepers);
      await k("rollout", "status", "statefulset/keeper", "--timeout=90s");
      const where = () => field(".items[*].spec.nodeName", "pods", "-l", "app=keeper");
      assert.deepEqual((await where()).split(" ").sort(), nodes);
      const path = "{range .items[*]}{.spec.nodeAffinity.required.nodeSelectorTerms[*].matchExpressions[*]}{end}";
      const terms = await k("get", "pv", "-o", `jsonpath=${path}`);
      const term = (node: string) => JSON.stringify({ key: topologyKey, operator: "In", values: [node] });
      for (const node of nodes) assert.ok(terms.includes(term(node)), terms);
      for (const number of [1, 2] as const) assert.equal((await stored(number)).length, 1, `node ${number}`);

      const before = await where();
      await k("delete", "pods", "-l", "app=keeper");
      await k("rollout", "status", "statefulset/keeper", "--timeout=90s");
      await k("wait", "--for=condition=Ready", "pod/keeper-0", "pod/keeper-1", "--timeout=60s");
      assert.equal(await where(), before);
      for (const pod of ["keeper-0", "keeper-1"]) {
        await bench.eventually("both pods of that name have written", async () =>
          assert.equal(await k("exec", pod, "--", "cat", "/data/file"), `${pod}\n${pod}\n`),
        );
      }
      await k("delete", "statefulset", "keeper");
      await k("delete", "pvc", "--all");
      await nothingLeft();
    });

    test("a class that does not wait spreads a StatefulSet's claims, and keeps others together", async () => {
      await apply("early", early + keepers.replace(request, `storageClassName: early, ${request}`));
      await k("rollout", "status", "statefulset/keeper", "--timeout=90s");
      for (const number of [1, 2] as const) assert.equal((await stored(number)).length, 1, `node ${number}`);
      const pair = ["data", "logs"].map((name) => {
        const [claim = ""] = claimed(name, { pod: "", claim: "storageClassName: early" }).split("---\n");
        return `${claim}---\n`;
      });
      await apply("pair", pair.join(""));
      await k("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data", "pvc/logs", "--timeout=60s");
      assert.equal((await stored(1)).length, 3);
      await k("delete", "statefulset", "keeper");
      await k("delete", "pvc", "--all");
      await nothingLeft();
    });

    test("copies are made where what they are copies of is, and their pods follow", async () => {
      const [first, second] = nodes;
      await apply("source", claimed("source", { pod: only(second) }));
      await k("wait", "--for=condition=Ready", "pod/source", "--timeout=60s");
      await bench.eventually("it has written", async () =>
        assert.equal(await k("exec", "source", "--", "cat", "/data/file"), "source\n"),
      );
      await apply("snapshot", snapshot);
      await k("wait", "--for=jsonpath={.status.readyToUse}=true", "volumesnapshot/taken", "--timeout=60s");
      assert.equal((await stored(2, "snapshots")).length, 1);
      const ofClaim = "dataSource: {kind: PersistentVolumeClaim, name: source}";
      const ofSnapshot = "dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: taken}";
      await apply("clone", claimed("clone", { pod: rather(first), claim: ofClaim }));
      await apply("restored", claimed("restored", { pod: rather(first), claim: ofSnapshot }));
      await k("wait", "--for=condition=Ready", "pod/clone", "pod/restored", "--timeout=90s");
      for (const name of ["clone", "restored"]) {
        assert.equal(await field(".spec.nodeName", "pod", name), second);
        await bench.eventually("it has written behind what it copied", async () =>
          assert.equal(await k("exec", name, "--", "cat", "/data/file"), `source\n${name}\n`),
        );
      }
      const larger = '{"spec":{"resources":{"requests":{"storage":"2Mi"}}}}';
      await k("patch", "pvc", "clone", "-p", larger);
      await k("wait", "--for=jsonpath={.status.capacity.storage}=2Mi", "pvc/clone", "--timeout=60s");
      await k("delete", "volumesnapshot", "taken");
      await k("delete", "pod", "source", "clone", "restored");
      await k("delete", "pvc", "--all");
      await nothingLeft();
      await bench.eventually("the snapshot is gone", async () => assert.deepEqual(await stored(2, "snapshots"), []));
    });

    test("a volume on a node that is down waits to be deleted until the node is back", async () => {
      await apply("lost", claimed("lost", { pod: only(nodes[1]) }));
      await k("wait", "--for=condition=Ready", "pod/lost", "--timeout=60s");
      await onSecond("down");
      await k("delete", "pod", "lost", "--force", "--grace-period=0");
      await k("delete", "pvc", "lost");
      await bench.eventually("it is told why it stays", async () => {
        const events = await k("get", "events", "-A", "--field-selector=reason=VolumeFailedDelete");
        assert.match(events, /cannot be asked|is not ready/);
      });
      assert.equal(await field(".items[*].status.phase", "pv"), "Released");
      assert.equal((await stored(2)).length, 1);
      await onSecond("join");
      await nothingLeft();
    });

    test("nodes may ask each other's drivers nothing", async () => {
      const pki = join(home(), "nodes", "2", "pki");
      const address = await field(".status.addresses[0].address", "node", nodes[0]);
      const port = await field(".status.daemonEndpoints.kubeletEndpoint.Port", "node", nodes[0]);
      const url = `https://${address}:${port}/csi.v1.Controller/DeleteVolume`;
      const identity = `--cert ${join(pki, "node.crt")} --key ${join(pki, "node.key")}`;
      const { stdout } = await bench.shell(`curl -sk -X POST --data '' ${identity} ${url}`);
      assert.match(stdout, /^Forbidden \(user=system:node:\S+, verb=create, resource=nodes/);
    });

    test("delete leaves nothing", async () => {
      await apply("left", claimed("left", { pod: only(nodes[1]) }));
      await k("wait", "--for=condition=Ready", "pod/left", "--timeout=60s");
      assert.equal((await bench.skiff("delete")).code, 0);
      assert.deepEqual(await readdir(join(bench.folder, "home")).catch(() => []), []);
      const { mounts, processes } = traces();
      assert.deepEqual(
        [...mounts, ...processes].filter((text) => text.includes(bench.folder)),
        [],
      );
    });
  });
}
