import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findProgram, systemProcesses } from "@skiff/host";
import { loopbackScript, podNetworkScript } from "./cni-plugin.ts";

const { signal } = new AbortController();
const network = { bridge: "skiff0", podCidr: "10.42.3.0/24", gateway: "10.42.3.1" };
const places = { addressFolder: "/run/x", ip: "/sbin/ip", portmap: "/opt/cni/bin/portmap" };
const constantOf = (script: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(script)?.[1];

describe("the plugin's constants", () => {
  it("are what is known of the network", () => {
    const script = podNetworkScript({ ...network, mtu: 1450 }, places);
    const names = ["bridge", "bridge_mac", "mtu", "gateway", "length", "range", "addresses", "ip", "portmap"];
    assert.deepEqual(
      names.map((name) => constantOf(script, name)),
      [
        "skiff0",
        "0a:58:0a:2a:03:01",
        "'mtu 1450'",
        "10.42.3.1",
        "24",
        "10.42.3.1-10.42.3.254",
        "'/run/x'",
        "'/sbin/ip'",
        "'/opt/cni/bin/portmap'",
      ],
    );
    assert.equal(constantOf(podNetworkScript(network, places), "mtu"), "");
  });

  for (const [podCidr, digits] of [
    ["10.42.3.0/30", 1],
    ["10.42.3.0/24", 3],
    ["10.42.0.0/16", 5],
    ["10.0.0.0/8", 8],
  ] as const) {
    it(`leave room for the number in names of links: ${podCidr}`, () => {
      const [one, other] = ["skiff0", "skiff1"].map((bridge) =>
        constantOf(podNetworkScript({ ...network, bridge, podCidr }, places), "cable"),
      );
      assert.match(one ?? "", /^veth[0-9a-z]{3,}$/);
      assert.equal((one?.length ?? 0) + digits, 15);
      assert.notEqual(one, other);
    });
  }

  for (const podCidr of ["10.42.3.0/31", "fd00::/64"]) {
    it(`do not come of ${podCidr}`, () =>
      assert.throws(() => podNetworkScript({ ...network, podCidr }, places), /have room/));
  }
});

const busybox = (await findProgram("busybox")) === undefined ? [] : [["busybox", "ash"]];
for (const shell of [["sh"], ...busybox]) {
  describe(`the plugins, by ${shell.join(" ")}`, () => {
    let folder: string;
    let addresses: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "skiff's plugin-"));
      addresses = join(folder, "addresses");
      await mkdir(addresses);
      // A program that fails is all that a sandbox needs to be refused.
      const script = podNetworkScript(
        { bridge: "skiff0", podCidr: "10.42.3.248/29", gateway: "10.42.3.249" },
        { addressFolder: addresses, ip: "/bin/false", portmap: "/bin/false" },
      );
      await writeFile(join(folder, "skiff"), script);
      await writeFile(join(folder, "loopback"), loopbackScript());
    });
    after(() => rm(folder, { recursive: true }));

    const call = async (plugin: string, command: string, env: Readonly<Record<string, string>> = {}, stdin = "{}") => {
      const [program = "", ...words] = [...shell, join(folder, plugin)];
      const variables = { PATH: process.env.PATH, CNI_COMMAND: command, CNI_IFNAME: "eth0", ...env };
      const { code, stdout } = await systemProcesses.run(program, { args: words, env: variables, stdin }, signal);
      return { code, said: stdout === "" ? undefined : JSON.parse(stdout) };
    };
    const sandbox = { CNI_CONTAINERID: "one", CNI_NETNS: "/run/netns/none" };

    it("tell what they speak", async () => {
      const version = "0.4.0";
      assert.deepEqual(await call("skiff", "VERSION"), {
        code: 0,
        said: { cniVersion: version, supportedVersions: [version] },
      });
      const { said } = await call("loopback", "VERSION", {}, '{"cniVersion": "0.3.1"}');
      assert.equal(said.cniVersion, "0.3.1");
      assert.ok(said.supportedVersions.includes("0.3.1"));
    });

    it("answer for lo in the version of the question", async () => {
      const { said } = await call("loopback", "ADD", sandbox, '{"cniVersion":"0.3.1","name":"lo","type":"loopback"}');
      assert.equal(said.cniVersion, "0.3.1");
      assert.deepEqual(said.interfaces, [{ name: "lo", mac: "00:00:00:00:00:00", sandbox: "/run/netns/none" }]);
      assert.deepEqual(await call("loopback", "DEL", sandbox), { code: 0, said: undefined });
    });

    it("refuse calls that say too little", async () => {
      for (const [command, env] of [
        ["ADD", { CNI_NETNS: "/run/netns/none" }],
        ["ADD", { CNI_CONTAINERID: "one" }],
        ["GC", sandbox],
      ] as const) {
        const { code, said } = await call("skiff", command, env);
        assert.deepEqual([code, said.cniVersion, said.code], [1, "0.4.0", 4]);
      }
    });

    it("give an address back that led to nothing, and go on behind it", async () => {
      for (const last of [250, 251]) {
        assert.equal((await call("skiff", "ADD", sandbox)).said.code, 100);
        assert.deepEqual(await readdir(addresses), ["last_reserved_ip.0"]);
        assert.equal((await readFile(join(addresses, "last_reserved_ip.0"), "utf8")).trim(), `10.42.3.${last}`);
      }
    });

    it("say so when no address is left, and find who has one", async () => {
      const taken = [250, 251, 252, 253, 254].map((n) => `10.42.3.${n}`);
      for (const address of taken) await writeFile(join(addresses, address), `owner-${address}\r\neth0`);
      const { code, said } = await call("skiff", "ADD", sandbox);
      const msg = "no IP addresses available in range set: 10.42.3.249-10.42.3.254";
      assert.deepEqual([code, said], [1, { cniVersion: "0.4.0", code: 11, msg }]);
      // The one's name begins like another's; what CNI remembers is another's.
      const remembered = JSON.stringify({ prevResult: { ips: [{ address: "10.42.3.251/29" }] } });
      for (const owner of ["owner-10.42.3.25", "owner-10.42.3.250", "never-was"]) {
        assert.equal((await call("skiff", "DEL", { CNI_CONTAINERID: owner }, remembered)).code, 0);
      }
      assert.deepEqual((await readdir(addresses)).sort(), [...taken.slice(1), "last_reserved_ip.0"]);
    });
  });
}
