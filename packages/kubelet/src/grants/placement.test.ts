import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import { silentLogger } from "@skiff/base";
import { plainRules } from "../cpus/cpu-rules.ts";
import { NodeCpus, type NodeCpusOptions } from "../cpus/node-cpus.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { machineOf } from "../fixtures/topologies.ts";
import { NodeMemory } from "../memory/node-memory.ts";
import type { TopologyPolicy } from "../topology/policy.ts";
import { NodeGrants } from "./node-grants.ts";

const { signal } = new AbortController();
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skiff-placement-"));
});
after(() => rm(folder, { recursive: true }));
let made = 0;
const fresh = () => join(folder, `${made++}-`);

/** Two sockets of four cores with two threads, 16 GiB each. CPU 0 and its sibling 8 are the system's. */
const machine = machineOf(2, 4, 2);

const asking = (cpu: string, memory = "1Gi"): Container["resources"] => ({
  limits: { cpu, memory },
  requests: { cpu, memory },
});
const pod = (
  uid: string,
  containers: readonly Container["resources"][],
  init: readonly Container["resources"][] = [],
): Pod =>
  podOf(
    {
      containers: containers.map((resources, at) => containerOf(`c${at}`, { resources })),
      initContainers: init.map((resources, at) => containerOf(`i${at}`, { resources })),
    },
    { uid },
  );

async function start(
  more: Partial<NodeCpusOptions> & { policy?: TopologyPolicy; scope?: "container" | "pod"; at?: string } = {},
) {
  const rootFolder = more.at ?? fresh();
  const cpus = await NodeCpus.start({
    rootFolder: `${rootFolder}cpus`,
    topology: machine,
    reserved: [0, 8],
    rules: plainRules,
    logger: silentLogger,
    onShared: () => {},
    ...more,
  });
  const memory = await NodeMemory.start({
    rootFolder: `${rootFolder}memory`,
    memory: machine.memory,
    reserved: new Map([[0, { memory: 2 * 2 ** 30 }]]),
    logger: silentLogger,
  });
  const grants = new NodeGrants([cpus, memory], {
    policy: more.policy ?? "none",
    scope: more.scope ?? "container",
    preferClosest: false,
    numa: machine.numa,
  });
  const admit = async (one: Pod) => {
    const failure = await grants.admit(one, signal);
    return failure === undefined
      ? "admitted"
      : `${failure.reason}: ${failure.message.replace("Pod was rejected: ", "")}`;
  };
  const of = async (one: Pod, name = "c0") => {
    const { cpusetCpus, cpusetMems } = await grants.grant(one, containerOf(name), signal);
    return `${cpusetCpus} on ${cpusetMems ?? "any"}`;
  };
  return { grants, admit, of, rootFolder };
}

describe("CPUs and memory of containers", () => {
  it("are a container's own where a guaranteed pod asks for whole ones; others share the rest", async () => {
    const { admit, of, grants } = await start();
    const own = pod("own", [asking("4"), asking("500m")]);
    const burstable = pod("burstable", [{ requests: { cpu: "2" } }]);
    assert.deepEqual([grants.concerns(burstable), await of(burstable)], [false, "0-15 on any"]);
    assert.equal(await admit(own), "admitted");
    assert.deepEqual([await of(own), await of(own, "c1")], ["1-2,9-10 on 0", "0,3-8,11-15 on 0"]);
    assert.equal(await of(burstable), "0,3-8,11-15 on any");
    assert.equal(
      await admit(pod("large", [asking("12")])),
      "UnexpectedAdmissionError: Allocate failed due to not enough cpus available to satisfy request: requested=12, available=10, which is unexpected",
    );
    grants.release("own");
    assert.equal(await of(burstable), "0-15 on any");
  });

  it("go from init containers to those that follow", async () => {
    const { admit, of } = await start();
    const one = pod("one", [asking("4"), asking("2")], [asking("6")]);
    assert.equal(await admit(one), "admitted");
    const [init, first, second] = [await of(one, "i0"), await of(one), await of(one, "c1")];
    assert.deepEqual([init, first, second], ["1-3,9-11 on 0", "1-2,9-10 on 0", "3,11 on 0"]);
  });

  it("are whole cores where threads shall have no neighbours", async () => {
    const { admit } = await start({ rules: { ...plainRules, wholeCores: true } });
    assert.equal(
      await admit(pod("odd", [asking("3")])),
      "SMTAlignmentError: SMT Alignment Error: requested 3 cpus not multiple cpus per core = 2",
    );
    assert.equal(await admit(pod("even", [asking("12")])), "admitted");
    assert.equal(
      await admit(pod("more", [asking("4")])),
      "SMTAlignmentError: SMT Alignment Error: not enough free physical CPUs: available physical CPUs = 2, requested CPUs = 4, CPUs per core = 2",
    );
  });

  it("leave what is reserved to the system alone where that is strict", async () => {
    const { of } = await start({ rules: { ...plainRules, strictReservation: true } });
    assert.equal(await of(pod("any", [{}])), "1-7,9-15 on any");
  });

  it("come from one NUMA node, or not at all", async () => {
    const { admit, of } = await start({ policy: "single-numa-node" });
    const [eight, six] = [pod("eight", [asking("8", "10Gi")]), pod("six", [asking("6", "10Gi")])];
    assert.deepEqual([await admit(eight), await of(eight)], ["admitted", "4-7,12-15 on 1"]);
    assert.deepEqual([await admit(six), await of(six)], ["admitted", "1-3,9-11 on 0"]);
    const refused = "TopologyAffinityError: Resources cannot be allocated with Topology locality";
    assert.equal(await admit(pod("too much memory", [asking("1500m", "8Gi")])), refused);
    const other = await start({ policy: "single-numa-node" });
    assert.equal(await other.admit(pod("wide", [asking("10")])), refused);
    const loose = await start({ policy: "restricted" });
    assert.equal(await loose.admit(pod("wide", [asking("10", "20Gi")])), "admitted");
    const whole = await start({ policy: "single-numa-node", scope: "pod" });
    assert.equal(await whole.admit(pod("two", [asking("4"), asking("6")])), refused);
    assert.equal(
      await (await start({ policy: "single-numa-node" })).admit(pod("two", [asking("4"), asking("6")])),
      "admitted",
    );
  });

  it("count for a whole pod as many as it has at a time, sidecars beside init containers too", async () => {
    const { admit } = await start({ policy: "single-numa-node", scope: "pod" });
    const withSidecar = (init: string) => {
      const one = pod(`beside ${init}`, [asking("1")], [asking("4"), asking(init)]);
      const initContainers = one.spec.initContainers?.map((each, at) =>
        at === 0 ? { ...each, restartPolicy: "Always" } : each,
      );
      return { ...one, spec: { ...one.spec, ...(initContainers && { initContainers }) } };
    };
    assert.equal(
      await admit(withSidecar("6")),
      "TopologyAffinityError: Resources cannot be allocated with Topology locality",
    );
    assert.equal(await admit(withSidecar("4")), "admitted");
  });

  it("are remembered, and not where the file was meddled with or the machine is another", async () => {
    const first = await start();
    const own = pod("own", [asking("2")]);
    await first.admit(own);
    const again = await start({ at: first.rootFolder });
    assert.equal(await again.of(own), "1,9 on 0");
    assert.deepEqual([...again.grants.holders()], ["own"]);
    const file = join(`${first.rootFolder}cpus`, "cpu_manager_state");
    const text = await readFile(file, "utf8");
    await assert.rejects(
      start({ at: first.rootFolder, topology: machineOf(2, 8, 2) }),
      /current set of available CPUs "0-31" doesn't match with CPUs in state "0-15"/,
    );
    await assert.rejects(start({ at: first.rootFolder, reserved: [1, 9] }), /not all reserved cpus: "1,9" are present/);
    await writeFile(file, text.replace('"own"', '"another"'));
    await assert.rejects(start({ at: first.rootFolder }), /checkpoint is corrupted/);
  });

  it("need something to be left to the system", async () => {
    await assert.rejects(start({ reserved: 0 }), /the static policy requires systemreserved\.cpu \+ kubereserved\.cpu/);
  });
});
