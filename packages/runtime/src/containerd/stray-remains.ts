import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "@skiff/base";
import { type Processes, systemMounts } from "@skiff/host";
import { addressFolders } from "./cni.ts";
import { portNotePrefix, removePortRules } from "./port-notes.ts";

/** So long a thing must have been without an owner before it is taken away. */
const patienceMs = 45_000;

const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

/** What is known of sandboxes when strays are looked for. */
export interface KnownSandboxes {
  /** Of sandboxes and of containers. */
  readonly ids: ReadonlySet<string>;
  /** When the oldest sandbox that is being made was begun (monotonic): it has no owner yet; `undefined`: none is. */
  readonly begunMs: number | undefined;
}

/**
 * Network namespaces, addresses and folders that belong to no sandbox. A containerd that was killed while it made or removed a
 * sandbox forgets them: they would stay until the machine's end, and the address would never be given to anybody.
 */
export class StrayRemains {
  readonly #stateDirectory: string;
  readonly #processes: Processes;
  readonly #clock: Clock;
  /** Things without an owner, and since when they are known to be. */
  #suspects = new Map<string, number>();

  constructor(options: { readonly stateDirectory: string; readonly processes: Processes; readonly clock: Clock }) {
    this.#stateDirectory = options.stateDirectory;
    this.#processes = options.processes;
    this.#clock = options.clock;
  }

  /** Takes away what has been without an owner for long enough; gives the paths. To be called now and then. */
  async sweep(known: KnownSandboxes, signal: AbortSignal): Promise<readonly string[]> {
    const nowMs = this.#clock.monotonic();
    const namespaces = await this.#namespaces();
    const bundles = await this.#bundles(known.ids);
    const seen = [...namespaces, ...bundles, ...(await this.#addresses(known.ids))];
    const before = this.#suspects;
    this.#suspects = new Map(seen.map((path) => [path, before.get(path) ?? nowMs]));
    const removed: string[] = [];
    for (const [path, sinceMs] of this.#suspects) {
      const young = nowMs - sinceMs < patienceMs || (known.begunMs !== undefined && known.begunMs <= sinceMs);
      if (young) continue;
      // The kernel takes a namespace's end of each link with it, and so the bridge's.
      const mounted = namespaces.includes(path) || bundles.includes(path);
      if (mounted) await systemMounts(this.#processes).unmountBelow(path, signal);
      const work = bundles.includes(path) ? await readlink(join(path, "work")).catch(() => undefined) : undefined;
      if (work?.endsWith(basename(path)) === true) await rm(work, { recursive: true, force: true });
      if (basename(path).startsWith(portNotePrefix)) await removePortRules(path, this.#processes, signal);
      await rm(path, { recursive: true, force: true });
      this.#suspects.delete(path);
      removed.push(path);
    }
    return removed;
  }

  /** Namespaces that no container joins. */
  async #namespaces(): Promise<readonly string[]> {
    const folder = join(this.#stateDirectory, "state/io.containerd.grpc.v1.cri/netns");
    const found = (await namesIn(folder)).map((name) => join(folder, name));
    if (found.length === 0) return [];
    const bundles = join(this.#stateDirectory, "state/io.containerd.runtime.v2.task/k8s.io");
    const used = new Set<string>();
    for (const id of await namesIn(bundles)) {
      const text = await readFile(join(bundles, id, "config.json"), "utf8").catch(() => "");
      for (const path of found) if (text.includes(path)) used.add(path);
    }
    return found.filter((path) => !used.has(path));
  }

  /** Folders of what runs, of containers that are not there; `.ID` while one is being removed. */
  async #bundles(ids: ReadonlySet<string>): Promise<readonly string[]> {
    const folder = join(this.#stateDirectory, "state/io.containerd.runtime.v2.task/k8s.io");
    const names = (await namesIn(folder)).filter((name) => !ids.has(name.replace(/^\./, "")));
    return names.map((name) => join(folder, name));
  }

  /** Files of addresses that are set aside, and notes of ports, for sandboxes which are not there. */
  async #addresses(ids: ReadonlySet<string>): Promise<readonly string[]> {
    const folder = addressFolders(this.#stateDirectory);
    const found: string[] = [];
    for (const network of await namesIn(folder)) {
      const names = await namesIn(join(folder, network));
      for (const name of names.filter((one) => one.startsWith(portNotePrefix))) {
        if (!ids.has(name.slice(portNotePrefix.length))) found.push(join(folder, network, name));
      }
      for (const name of names.filter((one) => /^\d+\.\d+\.\d+\.\d+$/.test(one))) {
        const path = join(folder, network, name);
        // A call that was killed in the middle leaves a file without an owner.
        const [owner = ""] = (await readFile(path, "utf8").catch(() => "")).trim().split(/\s+/);
        if (!ids.has(owner)) found.push(path);
      }
    }
    return found;
  }
}
