import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cniConfigList, standardConfigList } from "./cni.ts";
import { type ContainerdConfig, containerdToml, hasSysResource, registryHosts } from "./containerd-config.ts";
import { signalNumber } from "./signal-number.ts";

const network = { bridge: "skiff0", podCidr: "10.42.0.0/24", gateway: "10.42.0.1", mtu: 1450 };
const config: ContainerdConfig = {
  rootDirectory: '/var/lib/my "skiff"',
  stateDirectory: "/run/skiff",
  network,
  registries: [],
};

describe("containerd's configuration", () => {
  it("has folders of its own and fits the machine", () => {
    const cni = { plugins: "/opt/cni/bin", lists: "/etc/cni" };
    const toml = containerdToml(config, { snapshotter: "native", restrictOomScore: true, cni });
    for (const line of [
      'root = "/var/lib/my \\"skiff\\"/root"',
      'address = "/run/skiff/containerd.sock"',
      'snapshotter = "native"',
      "restrict_oom_score_adj = true",
      'bin_dir = "/opt/cni/bin"',
      'conf_dir = "/etc/cni"',
    ]) {
      assert.ok(toml.split("\n").includes(line), line);
    }
    const disabled = toml.split("\n").find((line) => line.startsWith("disabled_plugins")) ?? "";
    assert.deepEqual([disabled.includes(".overlayfs"), disabled.includes(".native")], [true, false]);
  });

  it("asks for restricted OOM scores only where the capability is missing", () => {
    assert.equal(hasSysResource("CapEff:\t000001fffeffffff\n"), false);
    assert.equal(hasSysResource("CapEff:\t000001ffffffffff\n"), true);
    assert.equal(hasSysResource(""), false);
  });

  const registries = [
    [
      { host: "docker.io", mirrors: ["https://mirror"], insecure: false },
      ["https://registry-1.docker.io", "https://mirror", "https://registry-1.docker.io"],
    ],
    [{ host: "lab:5000", mirrors: [], insecure: true }, ["http://lab:5000", "http://lab:5000"]],
  ] as const;
  for (const [registry, urls] of registries) {
    it(`says where images of ${registry.host} are got`, () => {
      assert.deepEqual(registryHosts(registry).match(/https?:[^"]+/g), urls);
    });
  }

  it("asks CNI's plugins where the node's own cannot be run", () => {
    const list: { plugins: { type: string; mtu?: number; ipam?: { dataDir: string } }[] } = JSON.parse(
      standardConfigList(network, "/run/skiff"),
    );
    assert.deepEqual(
      list.plugins.map(({ type, mtu, ipam }) => [type, mtu, ipam?.dataDir]),
      [
        ["bridge", 1450, "/run/skiff/cni-addresses"],
        ["portmap", undefined, undefined],
      ],
    );
  });

  it("asks the node's own plugin to connect pods, and names their ports", () => {
    assert.deepEqual(JSON.parse(cniConfigList(network)), {
      cniVersion: "0.4.0",
      name: "skiff0",
      plugins: [{ type: "skiff", capabilities: { portMappings: true }, snat: true }],
    });
  });
});

describe("signals", () => {
  for (const [name, number] of [
    ["SIGTERM", 15],
    ["SIGRTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["SIGRTMAX-14", 50],
  ] as const) {
    it(name, () => assert.equal(signalNumber(name), number));
  }
  it("that do not exist are refused", () => assert.throws(() => signalNumber("SIGNOTHING"), /unknown signal/));
});
