/** Namespaces as machines, on a network of the test's own. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { systemNetwork } from "./links.ts";
import {
  addNamespaceMember,
  removeNamespaceMember,
  removeNamespaceNetwork,
  setUpNamespaceNetwork,
} from "./namespace-network.ts";
import { systemNftables } from "./nftables.ts";
import { type StartedProcess, systemProcesses } from "./processes.ts";
import { systemSysctls } from "./sysctls.ts";

const { signal } = new AbortController();
const name = `skn${process.pid}`;
/** Tests of several checkouts may run on one machine. */
const subnet = `10.216.${process.pid % 250}`;
const effects = { processes: systemProcesses, nftables: systemNftables(), sysctls: systemSysctls };

/** What the machine holds of the test. */
async function remains(): Promise<readonly string[]> {
  const { links, namespaces } = systemNetwork();
  const table = await effects.nftables.listTable("ip", name, signal);
  const held = [...(await links.list(signal)).map((link) => link.name), ...(await namespaces.list())];
  return [...held.filter((one) => one.startsWith(name)), ...(table === undefined ? [] : ["table"])];
}

it("namespaces meet each other and the machine, as often as they are made, and leave nothing", async () => {
  const neighbour = await systemNetwork().addresses.primaryIPv4();
  const network = { bridge: name, gateway: `${subnet}.1/24`, table: name, inside: [], neighbour };
  const member = (n: number) => ({
    namespace: `${name}-n${n}`,
    link: `${name}n${n}`,
    address: `${subnet}.${n}/24`,
  });
  const from = async (n: number, address: string) => {
    const args = [`--net=/run/netns/${name}-n${n}`, "busybox", "ping", "-c1", "-W10", address];
    return (await systemProcesses.run("nsenter", { args }, signal)).code;
  };
  let kept: StartedProcess | undefined;
  try {
    for (let round = 0; round < 3; round++) {
      // The second time all is there; the third the bridge is gone, and one namespace has lost its name to another.
      if (round === 2) {
        const inside = [`--net=/run/netns/${name}-n3`, "sleep", "60"];
        kept = await systemProcesses.start("nsenter", { args: inside, log: { kind: "none" } });
        await systemNetwork().links.remove(name, signal);
        await systemNetwork().namespaces.remove(`${name}-n3`, signal);
        await systemNetwork().namespaces.add(`${name}-n3`, signal);
      }
      await setUpNamespaceNetwork(network, effects, signal);
      for (const n of [2, 3]) await addNamespaceMember(network, member(n), effects, signal);
    }
    assert.deepEqual(
      await Promise.all([from(2, `${subnet}.1`), from(2, `${subnet}.3`), from(3, neighbour)]),
      [0, 0, 0],
      "all are neighbours",
    );
    const routes = await systemNetwork(systemProcesses, { namespace: `${name}-n2` }).routes.list(signal);
    assert.deepEqual(
      routes.map(({ destination, via }) => [destination, via]).sort(),
      [
        [`${subnet}.0/24`, undefined],
        [neighbour, undefined],
        ["default", `${subnet}.1`],
      ].sort(),
    );
  } finally {
    kept?.kill("SIGKILL");
    for (let round = 0; round < 2; round++) {
      for (const n of [2, 3]) await removeNamespaceMember(member(n), effects, signal);
      await removeNamespaceNetwork(network, effects, signal);
    }
  }
  assert.deepEqual(await remains(), []);
});
