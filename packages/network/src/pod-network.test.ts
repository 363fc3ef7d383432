import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Link, MemorySysctls, type Route, type SystemNetwork } from "@skiff/host";
import { setUpPodNetwork } from "./pod-network.ts";

const settings = { bridge: "skiff0", gateway: "10.42.0.1/24", serviceCidr: "10.96.0.0/16" };
const { signal } = new AbortController();

/** A machine with these links and routes, and a note of what was done to it. */
function machine(links: readonly string[], destinations: readonly string[]) {
  const done: string[] = [];
  const note = async (text: string) => void done.push(text);
  const link = (name: string): Link => ({
    index: 1,
    name,
    kind: "bridge",
    mtu: 1500,
    mac: "",
    up: true,
    master: undefined,
  });
  const network: SystemNetwork = {
    links: {
      list: async () => links.map(link),
      remove: async () => false,
      add: (name, args) => note(`add ${name} ${args.join(" ")}`),
      setUp: (name) => note(`up ${name}`),
    },
    addresses: {
      list: async () => [],
      add: (name, cidr) => note(`address ${cidr} on ${name}`),
      remove: async () => {},
      primaryIPv4: async () => "192.0.2.1",
      own: () => ["192.0.2.1"],
    },
    routes: {
      list: async () => destinations.map((destination): Route => ({ destination })),
      replace: ({ destination, link: via }) => note(`route ${destination} by ${via}`),
      remove: async () => false,
      change: async () => [],
      removeAll: async () => {},
    },
    namespaces: { list: async () => [], add: async () => {}, remove: async () => false },
  };
  return { network, done };
}

const kernel = () =>
  new MemorySysctls({
    "net.ipv4.ip_forward": "0",
    "net.ipv4.conf.skiff0.route_localnet": "0",
    "net.ipv6.conf.skiff0.accept_ra": "1",
    "net.bridge.bridge-nf-call-iptables": "0",
  });

describe("setUpPodNetwork", () => {
  it("makes the bridge, and routes Services by it where nothing else would take them", async () => {
    const { network, done } = machine([], []);
    const sysctls = kernel();
    const facts = await setUpPodNetwork(settings, { network, sysctls }, signal);
    assert.deepEqual(done, [
      "add skiff0 address 0a:58:0a:2a:00:01 type bridge",
      "address 10.42.0.1/24 on skiff0",
      "up skiff0",
      "route 10.96.0.0/16 by skiff0",
    ]);
    const { "net.ipv6.conf.skiff0.accept_ra": accepted, ...others } = Object.fromEntries(sysctls.values);
    assert.deepEqual([accepted, new Set(Object.values(others))], ["0", new Set(["1"])]);
    assert.deepEqual(facts, { bridgePacketsPassRules: true });
  });

  it("leaves a bridge that is there, and a default route, as they are", async () => {
    const { network, done } = machine(["skiff0"], ["default"]);
    await setUpPodNetwork(settings, { network, sysctls: kernel() }, signal);
    assert.deepEqual(done, ["address 10.42.0.1/24 on skiff0", "up skiff0"]);
  });

  it("says so where the kernel does not show the bridge's packets to the rules", async () => {
    const sysctls = kernel();
    sysctls.values.delete("net.bridge.bridge-nf-call-iptables");
    const facts = await setUpPodNetwork(settings, { network: machine([], []).network, sysctls }, signal);
    assert.deepEqual(facts, { bridgePacketsPassRules: false });
  });
});
