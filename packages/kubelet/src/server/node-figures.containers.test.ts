/** What the node's server tells of real containers: what they use, and what their probes came to. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { TestAuthority } from "../fixtures/certificates.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { NodeClient } from "../fixtures/node-client.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
let admin: NodeClient;

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!(await condition())) {
    assert.ok(systemClock.monotonic() < endMs, `${what}: not in time\n${machine.warnings.join("\n")}`);
    await systemClock.sleep(20, signal);
  }
}

before(async () => {
  const authority = await TestAuthority.create();
  const server = { address: "127.0.0.1", port: 0, ...(await authority.sign("CN=node")), clientCa: authority.cert };
  machine = await startContainerdNode(server, undefined, { realMachine: true });
  const certificate = await authority.sign("O=system:masters,CN=kube-apiserver-kubelet-client");
  admin = new NodeClient(machine.node.kubelet?.port ?? 0, certificate);
  machine.node.create("web", {
    volumes: [{ name: "v", emptyDir: {} }],
    containers: [
      {
        name: "main",
        image: "skiff/hello:1",
        volumeMounts: [{ name: "v", mountPath: "/v" }],
        resources: { limits: { cpu: "500m", memory: "64Mi" } },
        readinessProbe: { httpGet: { path: "/healthz", port: 80 }, periodSeconds: 1 },
        livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1000 },
        lifecycle: {
          postStart: { exec: { command: ["sh", "-c", "head -c 100000 /dev/zero >/v/x; cp /v/x /y; sync"] } },
        },
      },
    ],
  });
  machine.node.create("host", { hostNetwork: true });
  const ready = (name: string) => machine.node.pod(name)?.status?.containerStatuses?.[0]?.ready === true;
  await until(() => ready("web") && ready("host"), "run");
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

interface Numbers {
  readonly [name: string]: number | Numbers | readonly Numbers[] | string | undefined;
}

describe("the node's figures", () => {
  it("count probes by result", async () => {
    const text = async () => (await admin.get("/metrics/probes")).text;
    const labels = (type: string, result: string) =>
      new RegExp(
        `^prober_probe_total\\{container="main",namespace="default",pod="web",pod_uid="[^"]+",probe_type="${type}",result="${result}"\\} [1-9]`,
        "m",
      );
    await until(
      async () =>
        labels("Readiness", "successful").test(await text()) && labels("Liveness", "failed").test(await text()),
      "counted",
    );
    assert.match(
      await text(),
      /^prober_probe_duration_seconds_bucket\{[^}]*probe_type="Readiness",le="\+Inf"\} [1-9]/m,
    );
  });

  it("say in the summary what pods use: network, files, logs, swap, processes", async () => {
    const read = async () => {
      const summary = JSON.parse((await admin.get("/stats/summary")).text);
      const named = (name: string) =>
        summary.pods.find((one: { podRef: { name: string } }) => one.podRef.name === name);
      return { node: summary.node, web: named("web"), host: named("host") };
    };
    await read();
    // A rate takes two looks, and the runtime looks now and then.
    const seen = async () => (await read()).web.containers[0];
    await until(async () => (await seen())?.cpu.usageNanoCores !== undefined, "has rates");
    await until(async () => (await seen())?.rootfs.usedBytes >= 100_000, "was measured");
    const { node, web, host } = await read();
    const [main] = web.containers;
    const positive: Numbers = {
      "node cpu": node.cpu.usageNanoCores,
      "node page faults": node.memory.pageFaults,
      "node network": node.network.interfaces.length,
      "node images": node.runtime.containerFs.capacityBytes,
      "node processes": node.rlimit.curproc,
      "pod network in": web.network.rxBytes,
      "pod network out": web.network.txBytes,
      "pod processes": web.process_stats.process_count,
      "pod page faults": web.memory.pageFaults,
      "container memory": main.memory.workingSetBytes,
      "container root": main.rootfs.capacityBytes,
      "container root inodes": main.rootfs.inodesUsed,
      "container logs": main.logs.usedBytes,
    };
    for (const [what, value] of Object.entries(positive)) assert.ok(Number(value) > 0, `${what}: ${value}`);
    assert.equal(web.network.name, "eth0");
    assert.deepEqual([typeof node.swap.swapUsageBytes, typeof main.swap.swapUsageBytes], ["number", "number"]);
    assert.ok(main.rootfs.usedBytes >= 100_000, `root: ${main.rootfs.usedBytes}`);
    const volume = web.volume.find((one: { name: string }) => one.name === "v");
    assert.ok(volume.usedBytes >= 100_000, `volume: ${volume.usedBytes}`);
    assert.ok(web["ephemeral-storage"].usedBytes >= main.rootfs.usedBytes + volume.usedBytes);
    assert.equal(host.network, undefined);
    const names = node.systemContainers.map((one: { name: string }) => one.name);
    assert.deepEqual(names, ["kubelet", "pods"]);
  });

  it("have the names that dashboards ask for", async () => {
    // The runtime measures what containers write now and then.
    const written = /^container_fs_usage_bytes\{container="main",[^}]*pod="web"[^}]*\} [1-9]/m;
    await until(async () => written.test((await admin.get("/metrics/cadvisor")).text), "measured");
    const { text } = await admin.get("/metrics/cadvisor");
    const of =
      'container="main",id="/[^"]+/pod[^/]+/[0-9a-f]+",image="skiff/hello:1",name="[0-9a-f]+",namespace="default",pod="web"';
    for (const line of [
      `container_cpu_usage_seconds_total\\{${of},cpu="total"\\} [0-9.e-]+`,
      `container_cpu_cfs_periods_total\\{${of}\\} \\d+`,
      `container_memory_working_set_bytes\\{${of}\\} [1-9]\\d*`,
      `container_memory_cache\\{${of}\\} \\d+`,
      `container_fs_writes_bytes_total\\{${of},device=""\\} \\d+`,
      `container_fs_usage_bytes\\{${of},device=""\\} [1-9]\\d*`,
      `container_start_time_seconds\\{${of}\\} [1-9]\\d*`,
      'container_network_receive_bytes_total\\{container="",id="[^"]+",image="",name="[0-9a-f]+",namespace="default",pod="web",interface="eth0"\\} [1-9]\\d*',
      'container_network_transmit_packets_dropped_total\\{[^}]*pod="web"[^}]*\\} \\d+',
      'container_memory_working_set_bytes\\{container="",id="/[^"]+",image="",name="",namespace="default",pod="web"\\} [1-9]\\d*',
      'container_cpu_usage_seconds_total\\{container="",cpu="total",id="/"[^}]*\\} [1-9][0-9.]*',
      "machine_memory_bytes [1-9]\\d*",
    ])
      assert.match(text, new RegExp(`^${line}$`, "m"));
    assert.doesNotMatch(text, /^container_network_[^{]*\{[^}]*pod="host"/m);
    const declared = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(declared).size, declared.length, "no family twice");
  });

  it("come from paths that are guarded, and others are refused", async () => {
    assert.deepEqual(await admin.get("/healthz/syncloop"), { code: 200, text: "ok" });
    assert.equal((await admin.get("/healthz/none")).code, 404);
    assert.equal((await admin.get("/debug/pprof/heap")).code, 405);
    assert.equal((await admin.get("/checkpoint/default/web/main")).code, 405);
    assert.equal((await admin.post("/checkpoint/default/none/main")).code, 404);
    const refused = await admin.post("/checkpoint/default/web/main");
    assert.equal(refused.code, 500);
    assert.match(refused.text, /^checkpointing of default\/web\/main failed \(rpc error: code = Unimplemented/);
    assert.deepEqual(await admin.post("/run/default/web/main?cmd=echo+hi"), { code: 200, text: "hi\n" });
    assert.equal((await admin.post("/run/default/web/main?cmd=false")).code, 500);
  });
});
