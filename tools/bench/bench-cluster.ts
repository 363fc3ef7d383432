import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@skiff/base";
import { type Client, createClient, httpsTransport, loadKubeconfig } from "@skiff/client";
import { clusterPaths, connectNodeRuntime, stateFolder, systemMachine } from "@skiff/cluster";
import type { ContainerdRuntime } from "@skiff/runtime";
import { cpuOf, launcher, output, type StatusProcess } from "./cluster.ts";

const never = new AbortController().signal;
const name = "bench";

/** What `skiff status` tells. */
interface Told {
  readonly settings: { readonly slot: number };
  readonly processes: readonly StatusProcess[];
}

/** A cluster with a home of its own, for figures of a real node. Disposal deletes it. */
export class BenchCluster implements AsyncDisposable {
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;
  readonly #environment: NodeJS.ProcessEnv;
  readonly client: Client;
  readonly access: ReturnType<typeof loadKubeconfig>;
  /** The cluster's own containerd, past its kubelet. */
  readonly runtime: ContainerdRuntime;

  private constructor(
    folder: string,
    made: Pick<BenchCluster, "client" | "access" | "runtime"> & {
      readonly stack: AsyncDisposableStack;
      readonly environment: NodeJS.ProcessEnv;
    },
  ) {
    this.folder = folder;
    this.client = made.client;
    this.access = made.access;
    this.runtime = made.runtime;
    this.#stack = made.stack;
    this.#environment = made.environment;
  }

  static async up(): Promise<BenchCluster> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "skiff-bench-"));
    const environment = { ...process.env, KUBECONFIG: join(folder, "kubeconfig") };
    stack.defer(async () => {
      await skiff(environment, folder, "delete").catch(() => {});
      await rm(folder, { recursive: true, force: true });
    });
    await skiff(environment, folder, "up");
    const access = loadKubeconfig(await readFile(environment.KUBECONFIG, "utf8"));
    const client = createClient(stack.use(httpsTransport({ ...access, clock: systemClock })));
    const effects = { machine: systemMachine(), clock: systemClock, logger: silentLogger };
    const paths = clusterPaths(folder, name);
    const runtime = stack.use(await connectNodeRuntime(paths, effects, { timeoutMs: 10_000, signal: never }));
    return new BenchCluster(folder, { client, access, runtime, stack: stack.move(), environment });
  }

  skiff(...words: readonly string[]): Promise<string> {
    return skiff(this.#environment, this.folder, ...words);
  }

  async told(): Promise<Told> {
    return JSON.parse(await this.skiff("status"));
  }

  /** CPU seconds that a process of the cluster has used. */
  async cpuSeconds(process: string): Promise<number> {
    return cpuOf((await this.told()).processes, [process]);
  }

  /** The parent of all pods' cgroups. */
  async cgroup(): Promise<string> {
    return `/kubepods-skiff${(await this.told()).settings.slot}`;
  }

  /** The folder of what lives only until the next boot. */
  get stateFolder(): string {
    return stateFolder(clusterPaths(this.folder, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

const skiff = (environment: NodeJS.ProcessEnv, folder: string, ...words: readonly string[]): Promise<string> =>
  output(process.execPath, [launcher, ...words, "--home", folder, "--name", name, "-o", "json"], environment);
