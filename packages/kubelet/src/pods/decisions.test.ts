import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import { durationText } from "@skiff/base";
import { containerResources, oomScoreAdj, podCgroupLimits } from "../cgroups/resources.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { parseImageName } from "../images/image-name.ts";
import { tally } from "../probes/pod-probes.ts";
import { checkNonRoot, linuxSecurity } from "../security/linux-security.ts";
import { dnsWarnings, hostsFile, kernelHostname, parseResolvConf, podDns } from "./dns.ts";
import { qosClass } from "./qos.ts";
import { fairShare } from "./termination-message.ts";

describe("small decisions about pods", () => {
  it("puts pods in their class", () => {
    const of = (requests?: Record<string, string>, limits?: Record<string, string>) =>
      qosClass(podOf({ containers: [containerOf("a", { resources: { requests, limits } })] }));
    assert.equal(of(), "BestEffort");
    assert.equal(of({ cpu: "1" }), "Burstable");
    assert.equal(of({ cpu: "1", memory: "1Gi" }, { cpu: "1", memory: "1Gi" }), "Guaranteed");
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

  it("scores containers for the kernel by what they request of the node's memory", () => {
    const asks = (name: string, memory: string, more: Partial<Container> = {}) =>
      containerOf(name, { resources: { requests: { memory } }, ...more });
    const sidecar = asks("side", "512Mi", { restartPolicy: "Always" });
    const pod = podOf({ containers: [asks("a", "1Gi"), asks("b", "2Gi")], initContainers: [sidecar] });
    const of = (of: Pod, ...containers: Container[]) => containers.map((one) => oomScoreAdj(of, one, 8 * 2 ** 30));
    // A sidecar counts as much as the least of those it serves.
    assert.deepEqual(of(pod, ...pod.spec.containers, sidecar), [875, 750, 875]);
    const small = podOf({ containers: [asks("a", "40Mi"), asks("b", "0"), asks("c", "8Gi")] });
    assert.deepEqual(of(small, ...small.spec.containers), [996, 999, 3]);
    // What the pod asks for beyond its containers is shared among all of them.
    const first = asks("first", "1Gi");
    const whole = podOf({
      ...pod.spec,
      initContainers: [first],
      resources: { requests: { memory: "6Gi" } },
    });
    assert.deepEqual(of(whole, ...pod.spec.containers), [750, 625]);
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

  it("keeps to what resolvers take, and says what it left out", () => {
    const node = { clusterDns: ["10.43.0.10"], clusterDomain: "cluster.local" };
    const host = { servers: [], searches: [], options: [] };
    const searches = Array.from({ length: 40 }, (_, index) => `s${index}.example`);
    const pod = podOf({ dnsConfig: { nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3"], searches } });
    const dns = podDns(pod, node, host);
    assert.deepEqual([dns.servers, dns.searches.length], [["10.43.0.10", "1.1.1.1", "1.1.1.2"], 32]);
    assert.deepEqual(
      dnsWarnings(pod, node, host).map((one) => one.message.slice(0, 34)),
      ["Search Line limits were exceeded, ", "Nameserver limits were exceeded, s"],
    );
    const [missing] = dnsWarnings(podOf(), { ...node, clusterDns: [] }, host);
    assert.match(missing?.message ?? "", /^pod: "web_default\(u1\)"\. kubelet does not have ClusterDNS IP configured/);
    assert.deepEqual(dnsWarnings(podOf({ dnsPolicy: "Default" }), { ...node, clusterDns: [] }, host), []);
  });

  it("gives a pod its name, as far as the kernel takes it", () => {
    const of = (spec: Parameters<typeof podOf>[0]) => kernelHostname(podOf(spec), "cluster.local");
    assert.equal(of({}), "web");
    assert.equal(of({ hostname: "h", subdomain: "s" }), "h");
    assert.equal(of({ hostname: "h", subdomain: "s", setHostnameAsFQDN: true }), "h.s.default.svc.cluster.local");
    assert.equal(of({ hostname: "h", hostnameOverride: "other.example" }), "other.example");
    assert.throws(
      () => of({ hostname: "h".repeat(50), subdomain: "s", setHostnameAsFQDN: true }),
      /FQDN h+\.s\.default\.svc\.cluster\.local is too long \(64 characters is the max, 78 characters requested\)$/,
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
    assert.deepEqual(parseImageName("docker.io/a"), {
      registry: "docker.io",
      repository: "library/a",
      withTag: "docker.io/a:latest",
    });
    for (const bad of ["Bad", "a:b:c", "", "a@sha256:12", "a_.b/c:1"])
      assert.equal(parseImageName(bad), undefined, bad);
  });

  it("counts probes in a row", () => {
    const count = tally({ failureThreshold: 2, successThreshold: 1 });
    const failure = { kind: "failure", message: "" } as const;
    assert.deepEqual(
      [count(failure), count({ kind: "errored", message: "" }), count(failure), count({ kind: "success" })],
      [undefined, undefined, "failure", "success"],
    );
  });

  it("writes delays as Kubernetes does", () => {
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

  it("cuts last words to their share of the status", () => {
    const pod = podOf({ containers: Array.from({ length: 6 }, (_, index) => containerOf(`c${index}`)) });
    assert.equal(fairShare("x".repeat(4096), pod).length, 2048);
    assert.equal(fairShare("short", pod), "short");
  });

  it("tells who a container is", () => {
    const image = { id: "i", repoTags: [], repoDigests: [], sizeBytes: 1, pinned: false };
    const of = (container: Partial<Container>, shared: object = {}, more: object = {}, target?: string) => {
      const pod = podOf({ securityContext: shared });
      const options = { image: { ...image, ...more }, rootFolder: "/k", ...(target === undefined ? {} : { target }) };
      const { runAsUser, runAsUsername, runAsGroup, seccomp, namespaces, appArmor } = linuxSecurity(
        pod,
        containerOf("main", container),
        options,
      );
      return { runAsUser, runAsUsername, runAsGroup, seccomp: seccomp.kind, pid: namespaces.pid, appArmor };
    };
    const plain = { runAsUser: 0, runAsUsername: undefined, runAsGroup: undefined, seccomp: "unconfined" };
    const common = { ...plain, pid: "container", appArmor: undefined };
    assert.deepEqual(of({}), common);
    assert.deepEqual(of({}, { runAsGroup: 7 }), { ...common, runAsGroup: 7 });
    assert.deepEqual(of({}, {}, { username: "www" }), { ...common, runAsUser: undefined, runAsUsername: "www" });
    assert.deepEqual(of({ securityContext: { runAsUser: 5 } }, { runAsUser: 6 }, { uid: 7 }), {
      ...common,
      runAsUser: 5,
    });
    assert.deepEqual(
      of({ securityContext: { privileged: true } }, { seccompProfile: { type: "RuntimeDefault" } }),
      common,
    );
    assert.deepEqual(of({}, {}, {}, "c1"), { ...common, pid: { containerId: "c1" } });
    const localhost = { type: "Localhost", localhostProfile: "p" };
    assert.deepEqual(of({}, { appArmorProfile: localhost }).appArmor, { kind: "localhost", name: "p" });
  });
});
