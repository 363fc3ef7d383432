import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { diskShortage, type HeldImage, planCollection } from "../images/plan-collection.ts";
import { folderSize } from "./folder-size.ts";
import { localStorageExcess } from "./local-storage.ts";
import { NodePressure } from "./pressure.ts";
import { noUse, pressureRefusal, quantityText, rankForEviction } from "./rank.ts";
import { type Observations, thresholdsOf } from "./thresholds.ts";

const gi = 2 ** 30;
const memory = (available: number): Observations => new Map([["memory.available", { available, capacity: 8 * gi }]]);
const named = (name: string, spec: Parameters<typeof podOf>[0] = {}) => podOf(spec, { name, uid: name });
const asking = (amount: string) => [containerOf("main", { resources: { requests: { memory: amount } } })];

describe("pressure on a node", () => {
  const pressure = (more: Partial<typeof defaultConfiguration>) =>
    new NodePressure(thresholdsOf({ ...defaultConfiguration, ...more }), 300_000);

  it("is there at once when a hard threshold is met, and for a while after", () => {
    const node = pressure({});
    assert.deepEqual(node.observe(memory(gi), 0), []);
    assert.equal(node.observe(memory(50 * 2 ** 20), 10_000)[0]?.quantity, 100 * 2 ** 20);
    assert.deepEqual([...node.types], ["MemoryPressure"]);
    assert.deepEqual(node.observe(memory(gi), 20_000), []);
    assert.deepEqual([...node.types], ["MemoryPressure"]);
    node.observe(memory(gi), 310_000);
    assert.deepEqual([...node.types], []);
  });

  it("ends pods for a soft threshold only after its grace", () => {
    const soft = {
      evictionSoft: { "memory.available": "50%" },
      evictionSoftGracePeriodMs: { "memory.available": 60_000 },
    };
    const node = pressure(soft);
    assert.deepEqual(node.observe(memory(gi), 0), []);
    assert.deepEqual([...node.types], ["MemoryPressure"]);
    assert.deepEqual(node.observe(memory(gi), 59_000), []);
    assert.equal(node.observe(memory(gi), 60_000)[0]?.kind, "soft");
  });

  it("wants more to be free than the threshold, where that is asked for", () => {
    const node = pressure({ evictionMinimumReclaim: { "memory.available": "1Gi" } });
    node.observe(memory(50 * 2 ** 20), 0);
    assert.equal(node.observe(memory(500 * 2 ** 20), 10_000).length, 1);
    assert.equal(node.observe(memory(2 * gi), 20_000).length, 0);
  });
});

describe("who goes first", () => {
  it("is who uses more than it asked for, then who matters least, then who uses most", () => {
    const pods = [
      named("keeps", { containers: asking("4Gi") }),
      named("matters", { priority: 100 }),
      named("small"),
      named("large"),
      named("critical", { priority: 2_000_000_000 }),
    ];
    const use: Record<string, number> = { keeps: 3, matters: 2, small: 1, large: 2, critical: 5 };
    const order = rankForEviction(pods, "memory.available", (pod) => ({
      ...noUse,
      memoryBytes: (use[pod.metadata.name] ?? 0) * gi,
    }));
    assert.deepEqual(
      order.map((pod) => pod.metadata.name),
      ["large", "small", "matters", "keeps"],
    );
  });

  it("keeps pods that ask for nothing off a node without memory, and all pods off one without disk", () => {
    const low = new Set(["MemoryPressure"]);
    assert.equal(pressureRefusal(named("a"), low), "The node had condition: [MemoryPressure]. ");
    assert.equal(pressureRefusal(named("a", { containers: asking("1Gi") }), low), undefined);
    const key = "node.kubernetes.io/memory-pressure";
    assert.equal(pressureRefusal(named("a", { tolerations: [{ key, operator: "Exists" }] }), low), undefined);
    const disk = new Set(["DiskPressure"]);
    assert.match(pressureRefusal(named("a", { containers: asking("1Gi") }), disk) ?? "", /DiskPressure/);
    assert.equal(pressureRefusal(named("a", { priority: 2_000_000_000 }), disk), undefined);
  });

  it("writes amounts as Kubernetes does", () => {
    assert.equal(quantityText(100 * 2 ** 20, "memory"), "100Mi");
    assert.equal(quantityText(1025, "memory"), "1025");
    assert.equal(quantityText(0, "memory"), "0");
    assert.equal(quantityText(1024, "pids"), "1024");
  });
});

describe("what a pod may have on disk", () => {
  const use = (emptyDirs: Record<string, number>, containers: Record<string, number> = {}) => ({
    emptyDirs: new Map(Object.entries(emptyDirs)),
    containers: new Map(Object.entries(containers)),
  });
  const limited = podOf({
    volumes: [{ name: "cache", emptyDir: { sizeLimit: "1Mi" } }],
    containers: [containerOf("main", { resources: { limits: { "ephemeral-storage": "10Mi" } } })],
  });
  for (const [what, seen, expected] of [
    ["little", use({ cache: 1000 }, { main: 1000 }), undefined],
    ["too full a volume", use({ cache: 2 ** 21 }), 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '],
    [
      "too much in all",
      use({ cache: 2 ** 20 }, { main: 10 * 2 ** 20 }),
      "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
    ],
  ] as const)
    it(`judges ${what}`, () => assert.equal(localStorageExcess(limited, seen), expected));

  it("adds up a folder without following links", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skiff-size-"));
    try {
      await mkdir(join(folder, "below"));
      await writeFile(join(folder, "below", "file"), Buffer.alloc(64 * 1024, 1));
      await symlink("/usr", join(folder, "link"));
      const { bytes, inodes } = await folderSize(folder);
      assert.ok(bytes >= 64 * 1024 && bytes < 128 * 1024, `${bytes} bytes`);
      assert.equal(inodes, 4);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("which images go", () => {
  const held = (id: string, more: Partial<HeldImage> = {}, repoDigests = [`${id}@sha256:1`]): HeldImage => ({
    image: { id, repoTags: [], repoDigests, sizeBytes: 10, pinned: false },
    seenMs: 0,
    usedMs: 0,
    inUse: false,
    ...more,
  });
  it("are those not used for longest, as many as are needed", () => {
    const all = [
      held("recent", { usedMs: 90 }),
      held("old", { usedMs: 10 }),
      held("used", { inUse: true }),
      held("imported", {}, []),
      held("new", { seenMs: 950 }),
    ];
    const plan = planCollection(all, { minimumAgeMs: 100, nowMs: 1000 });
    assert.deepEqual(
      plan.map(({ id }) => id),
      ["old", "recent"],
    );
  });

  for (const [available, usedPercent, excessBytes] of [
    [161, 84, 0],
    [159, 85, 41],
    [0, 100, 200],
    [1200, 0, 0],
  ] as const)
    it(`takes as much as brings ${available} free bytes of 1000 to the low threshold`, () => {
      const shortage = diskShortage({ available, capacity: 1000 }, { highPercent: 85, lowPercent: 80 });
      assert.deepEqual(shortage, { usedPercent, excessBytes });
    });
});

describe("eviction", () => {
  it("ends a pod when memory runs out, and keeps others away", async () => {
    let left = 4 * gi;
    const host = { mounts: undefined, cgroups: undefined, signals: async () => memory(left) };
    await using test = await startSimulatedNode(undefined, { host });
    const { node, until } = test;
    node.create("web", {});
    await until(() => node.pod("web")?.status?.phase === "Running");
    left = 50 * 2 ** 20;
    await until(() => node.pod("web")?.status?.phase === "Failed");
    left = 4 * gi;
    const status = node.pod("web")?.status;
    assert.equal(status?.reason, "Evicted");
    assert.match(
      status?.message ?? "",
      /^The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. Container main was using \d+\w*, request is 0, has larger consumption of memory. $/,
    );
    const target = status?.conditions?.find((one) => one.type === "DisruptionTarget");
    assert.equal(target?.reason, "TerminationByKubelet");
    assert.match(JSON.stringify(node.api.get("nodes", "", "node-1")), /KubeletHasInsufficientMemory/);
    node.create("late", {});
    await until(() => node.pod("late")?.status?.phase === "Failed");
    assert.equal(node.pod("late")?.status?.message, "The node had condition: [MemoryPressure]. ");
  });
});
