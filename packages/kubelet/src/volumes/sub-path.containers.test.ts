/**
 * Somebody rewrites a volume while the node looks for parts of it. Each way of looking is tried side by side with a naive one,
 * which checks a path and then uses it: where that is led out a few times in so many finds, ours has to stand twice as many.
 * `SKIFF_SEED=N` replays the paths that are asked for.
 */
import assert from "node:assert/strict";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { seededRandom, systemClock } from "@skiff/base";
import { isWithin, openBeneath, systemMounts } from "@skiff/host";
import { startContainerdNode } from "../fixtures/containerd-node.ts";
import { RewrittenVolume } from "../fixtures/rewritten-volume.ts";
import { PodFolders } from "../pods/folders.ts";
import { SubPaths } from "./sub-path.ts";

const { signal } = new AbortController();
const seed = Number(process.env.SKIFF_SEED ?? 20_261_128);
const names = ["x", "y", "deep", ".", "..", "", "link", "up", "...", "x ", "..data", "\n", "n".repeat(255)];
/** How often the naive way has to be led out before its count is one to go by. */
const falls = 3;
const leastFound = 100;
/** Where one processor does all, 20,000 have been needed. */
const mostAttempts = 500_000;

type Found = "inside" | "outside" | "nothing";
/** One attempt to get at a part of the volume. */
type Way = (volume: RewrittenVolume, below: string, index: number) => Promise<Found>;

const lookAt = async (volume: RewrittenVolume, path: string): Promise<Found> =>
  (await volume.isOutside(path)) ? "outside" : "inside";

async function throughMount(volume: RewrittenVolume, target: string): Promise<Found> {
  try {
    return await lookAt(volume, target);
  } finally {
    await systemMounts().unmountBelow(target, signal);
  }
}

/** A path below the volume that was fine a moment ago. */
async function checked({ root }: RewrittenVolume, below: string): Promise<string> {
  const path = join(root, below);
  if (!isWithin(await realpath(path), root)) throw new Error("leads out");
  return path;
}

const ways: Readonly<Record<string, { readonly ours: Way; readonly naive: Way }>> = {
  "mounting a part": {
    async ours(volume, below, index) {
      const folders = new PodFolders({ rootFolder: join(volume.folder, "kubelet"), logFolder: volume.folder });
      const place = { uid: "u", volume: "v", container: "c", index };
      const wanted = { root: volume.root, below, place };
      const target = await new SubPaths(folders, systemMounts()).prepare(wanted, signal);
      return await throughMount(volume, target);
    },
    async naive(volume, below, index) {
      const path = await checked(volume, below);
      const target = join(volume.folder, "naive", String(index));
      await mkdir(target, { recursive: true });
      await systemMounts().bind(path, target, { readonly: false, recursive: true }, signal);
      return await throughMount(volume, target);
    },
  },
  "opening a part": {
    async ours(volume, below) {
      await using part = await openBeneath(volume.root, below, { makeMode: 0o755 });
      return await lookAt(volume, part.path);
    },
    async naive(volume, below) {
      return await lookAt(volume, await checked(volume, below));
    },
  },
};

/** Tries until `enough` says so; counts. */
async function attempt(
  volume: RewrittenVolume,
  way: Way,
  enough: (counts: { readonly attempts: number; readonly inside: number; readonly outside: number }) => boolean,
) {
  const random = seededRandom(seed);
  const counts = { attempts: 0, inside: 0, outside: 0, nothing: 0 };
  for (; !enough(counts); counts.attempts++) {
    const parts = Array.from({ length: 1 + Math.floor(random.next() * 3) }, () => {
      return names[Math.floor(random.next() * (random.next() < 0.6 ? 3 : names.length))] ?? "x";
    });
    counts[await way(volume, parts.join("/"), counts.attempts).catch((): Found => "nothing")]++;
  }
  return counts;
}

describe(`parts of a volume that is rewritten meanwhile (seed ${seed})`, () => {
  for (const [what, { ours, naive }] of Object.entries(ways))
    test(`${what} never leads out, where a check before would not help`, async () => {
      await using volume = await RewrittenVolume.start();
      const before = await volume.outsideContents();
      const fell = await attempt(volume, naive, (c) => c.outside === falls || c.attempts === mostAttempts);
      assert.equal(fell.outside, falls, `the naive way was led out ${fell.outside} times in ${fell.attempts}`);
      const found = Math.max(leastFound, 2 * (fell.inside + fell.outside));
      const stood = await attempt(volume, ours, (c) => c.inside + c.outside === found || c.attempts === mostAttempts);
      assert.equal(stood.outside, 0, `${stood.outside} of ${found} led out`);
      assert.equal(stood.inside, found, `found something ${stood.inside} times in ${stood.attempts}`);
      assert.equal(await volume.outsideContents(), before);
    });

  test("containers that start while another one rewrites see nothing from outside", async () => {
    await using machine = await startContainerdNode();
    const scratch = join(machine.folder, "scratch");
    const outside = join(scratch, "outside");
    for (const [folder, file] of [
      [join(scratch, "volume/data"), "mine"],
      [outside, "secret"],
    ] as const) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, file), "");
    }
    const volumes = [{ name: "v", hostPath: { path: join(scratch, "volume") } }];
    const container = (name: string, script: string, subPath: string) => ({
      name,
      image: "skiff/hello:1",
      command: ["sh", "-c", script],
      volumeMounts: [{ name: "v", mountPath: "/v", subPath }],
    });
    const rewrite = `cd /v; while :; do mv -T data kept; ln -s ${outside} data; sleep 0.02; rm -rf data; mv -T kept data; sleep 0.05; done`;
    machine.node.create("rewrites", { containers: [container("main", rewrite, "")], volumes });
    while (machine.node.pod("rewrites")?.status.phase !== "Running") await systemClock.sleep(10, signal);
    const readers = Array.from({ length: 12 }, (_, index) => `reads-${index}`);
    const containers = [container("main", "ls -A /v >/dev/termination-log", "data")];
    for (const name of readers) machine.node.create(name, { restartPolicy: "Never", containers, volumes });
    /** What a container saw; `refused` where it was not started because the part was a link just then. */
    const outcome = (name: string) => {
      const state = machine.node.pod(name)?.status.containerStatuses?.[0]?.state;
      if (state?.terminated !== undefined) return state.terminated.message?.trim() ?? "";
      return state?.waiting?.message?.startsWith("failed to prepare subPath") ? "refused" : undefined;
    };
    // Those that were refused are tried again: one of them finds the part sooner or later.
    let told: readonly (string | undefined)[] = [];
    do {
      await systemClock.sleep(20, signal);
      told = readers.map(outcome);
    } while (told.includes(undefined) || !told.includes("mine"));
    assert.ok(!told.some((text) => text?.includes("secret")), JSON.stringify(told));
  });
});
