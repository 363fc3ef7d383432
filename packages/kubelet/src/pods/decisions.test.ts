import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "@skiff/base";
import { containerResources, podCgroupLimits } from "../cgroups/resources.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { parseImageName } from "../images/image-name.ts";
import { registryLogins } from "../images/pull-secrets.ts";
import { tally } from "../probes/pod-probes.ts";
import { checkNonRoot } from "../security/linux-security.ts";
import { judge } from "../server/authenticate.ts";
import { admitPod } from "./admission.ts";
import { hostsFile, parseResolvConf, podDns } from "./dns.ts";
import { durationText } from "./duration-text.ts";
import { computeQosClass } from "./qos.ts";
import { StartBackoff } from "./start-backoff.ts";

describe("small decisions about pods", () => {
  it("puts pods in their class", () => {
    const of = (requests?: Record<string, string>, limits?: Record<string, string>) =>
      computeQosClass([containerOf("a", { resources: { requests, limits } })]);
    assert.equal(of(), "BestEffort");
    assert.equal(of({ cpu: "1" }), "Burstable");
    assert.equal(of(undefined, { cpu: "1", memory: "1Gi" }), "Guaranteed");
    assert.equal(of({ cpu: "500m" }, { cpu: "1", memory: "1Gi" }), "Burstable");
  });

  it("turns resources into limits", () => {
    const resources = { requests: { cpu: "250m", memory: "1Gi" }, limits: { cpu: "500m", memory: "2Gi" } };
    const pod = podOf({ containers: [containerOf("a", { resources }), containerOf("b", { resources })] });
    assert.deepEqual(containerResources(pod, containerOf("a", { resources }), 8 * 2 ** 30), {
      cpuPeriodUs: 100_000,
      cpuQuotaUs: 50_000,
      cpuShares: 256,
      memoryLimitBytes: 2 * 2 ** 30,
      oomScoreAdj: 875,
    });
    assert.deepEqual(podCgroupLimits(pod), {
      cpuShares: 512,
      cpuQuotaUs: 100_000,
      cpuPeriodUs: 100_000,
      memoryLimitBytes: 4 * 2 ** 30,
    });
    assert.deepEqual(podCgroupLimits(podOf()), { cpuShares: 2 });
  });

  it("resolves names as the pod's policy has it", () => {
    const node = { clusterDns: ["10.43.0.10"], clusterDomain: "cluster.local" };
    const host = parseResolvConf("nameserver 9.9.9.9\nsearch corp.example # ours\noptions timeout:1\n");
    const of = (spec: Parameters<typeof podOf>[0]) => podDns(podOf(spec), node, host);
    assert.deepEqual(of({}), {
      servers: ["10.43.0.10"],
      searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"],
      options: ["ndots:5"],
    });
    assert.deepEqual(of({ hostNetwork: true }), host);
    assert.deepEqual(
      of({ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], options: [{ name: "ndots", value: "2" }] } }),
      {
        servers: ["1.1.1.1"],
        searches: [],
        options: ["ndots:2"],
      },
    );
  });

  it("writes the hosts file", () => {
    const pod = podOf({ hostname: "a", subdomain: "db", hostAliases: [{ ip: "1.2.3.4", hostnames: ["x", "y"] }] });
    const text = hostsFile(pod, { ips: ["10.0.0.1"], clusterDomain: "cluster.local", nodeHosts: "" });
    assert.match(text, /^10\.0\.0\.1\ta\.db\.default\.svc\.cluster\.local\ta$/m);
    assert.match(text, /# Entries added by HostAliases\.\n1\.2\.3\.4\tx\ty\n$/);
  });

  it("reads image references", () => {
    assert.deepEqual(parseImageName("busybox"), {
      registry: "docker.io",
      repository: "library/busybox",
      withTag: "busybox:latest",
    });
    assert.equal(parseImageName("localhost:5000/a/b:1")?.registry, "localhost:5000");
    for (const bad of ["Bad", "a:b:c", "", "a@sha256:12"]) assert.equal(parseImageName(bad), undefined, bad);
  });

  it("finds the login for a registry", () => {
    const config = {
      auths: { "https://index.docker.io/v1/": { auth: "dTpw" }, "ghcr.io/team": { username: "t", password: "q" } },
    };
    const metadata = { name: "s", namespace: "d", uid: "u", resourceVersion: "1", creationTimestamp: "" };
    const secret = { metadata, data: { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") } };
    assert.deepEqual(registryLogins("busybox", [secret]), [{ username: "u", password: "p" }]);
    assert.deepEqual(registryLogins("ghcr.io/team/app:1", [secret]), [{ username: "t", password: "q" }]);
    assert.deepEqual(registryLogins("ghcr.io/other/app:1", [secret]), []);
  });

  it("counts probes in a row", () => {
    const count = tally({ failureThreshold: 2, successThreshold: 1 });
    const failure = { kind: "failure", message: "" } as const;
    assert.deepEqual(
      [count(failure), count({ kind: "errored", message: "" }), count(failure), count({ kind: "success" })],
      [undefined, undefined, "failure", "success"],
    );
  });

  it("delays restarts", async () => {
    const clock = new VirtualClock();
    const backoff = new StartBackoff(clock);
    const delays: number[] = [];
    for (let round = 0; round < 8; round++) {
      delays.push(backoff.remainingMs("a", clock.now()));
      backoff.started("a", clock.now());
    }
    assert.deepEqual(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    await clock.advance(600_001);
    assert.equal(backoff.remainingMs("a", clock.now()), 0);
    assert.deepEqual([10_000, 80_000, 300_000, 1234].map(durationText), ["10s", "1m20s", "5m0s", "1.234s"]);
  });

  it("refuses root where it must", () => {
    const image = { id: "i", repoTags: [], repoDigests: [], sizeBytes: 1, pinned: false };
    const container = containerOf("main", { securityContext: { runAsNonRoot: true } });
    const check = (more: object) => () => checkNonRoot(podOf(), container, { ...image, ...more });
    assert.throws(
      check({ uid: 0 }),
      /^ContainerConfigError: container has runAsNonRoot and image will run as root \(pod: "web_default\(u1\)", container: main\)$/,
    );
    assert.throws(check({ username: "www" }), /image has non-numeric user \(www\)/);
    assert.doesNotThrow(check({ uid: 5 }));
  });

  it("judges who may use the node's server", () => {
    assert.equal(judge({ O: "system:masters", CN: "admin" }), "allowed");
    assert.equal(judge({ CN: "kube-apiserver-kubelet-client" }), "allowed");
    assert.equal(judge({ O: ["system:nodes"], CN: "system:node:a" }), "forbidden");
  });

  it("admits what fits", () => {
    const node = { labels: { disk: "ssd" }, allocatable: { cpu: "2", pods: "2" }, others: [] };
    const asks = (cpu: string) => podOf({ containers: [containerOf("a", { resources: { requests: { cpu } } })] });
    assert.equal(admitPod(asks("2"), node), undefined);
    assert.deepEqual(admitPod(asks("1"), { ...node, others: [asks("1500m")] }), {
      reason: "OutOfcpu",
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
    });
    assert.equal(admitPod(podOf({ nodeSelector: { disk: "hdd" } }), node)?.reason, "NodeAffinity");
    assert.equal(
      admitPod(podOf({ securityContext: { sysctls: [{ name: "kernel.sem", value: "1" }] } }), node)?.reason,
      "SysctlForbidden",
    );
  });
});
