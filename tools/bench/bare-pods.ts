/** Pods made straight in the node's runtime, past the kubelet: what nobody who starts pods there can do without. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { SystemCgroups } from "@skiff/host";
import type { ContainerConfig, Runtime, SandboxConfig } from "@skiff/runtime";

const never = new AbortController().signal;
const namespaces = { network: "pod", pid: "container", ipc: "pod" } as const;
const unconfined = { kind: "unconfined" } as const;

/** Starts and removes pods of one container in a runtime. `folder` is for their logs, `cgroup` their parent's path. */
export class BarePods {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #cgroup: string;
  /** Cgroups by sandbox: the runtime leaves them behind. */
  readonly #sandboxes = new Map<string, string>();
  #serial = 0;

  constructor(runtime: Runtime, options: { readonly folder: string; readonly cgroup: string }) {
    this.#runtime = runtime;
    this.#folder = options.folder;
    this.#cgroup = options.cgroup;
  }

  /** RunPodSandbox, CreateContainer and StartContainer of one pod; gives the milliseconds they took. */
  async start(): Promise<number> {
    const runtime = this.#runtime;
    const name = `bare-${this.#serial++}`;
    const sandbox = this.#sandbox(name);
    await mkdir(join(sandbox.logDirectory, "hello"), { recursive: true });
    const image = (await runtime.imageStatus("docker.io/skiff/hello:1", never))?.id ?? "";
    const startMs = performance.now();
    const id = await runtime.runPodSandbox(sandbox, never);
    this.#sandboxes.set(id, sandbox.cgroupParent);
    const container = await runtime.createContainer(id, containerOf(image), sandbox, never);
    await runtime.startContainer(container, never);
    return performance.now() - startMs;
  }

  /** Ends and removes all that were started. */
  async clear(atOnce = Number.POSITIVE_INFINITY): Promise<void> {
    const cgroups = new SystemCgroups();
    const all = [...this.#sandboxes];
    const clearSome = async () => {
      for (let next = all.pop(); next !== undefined; next = all.pop()) {
        const [id, cgroup] = next;
        await this.#runtime.stopPodSandbox(id, never);
        await this.#runtime.removePodSandbox(id, never);
        await cgroups.remove(cgroup);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, clearSome));
    this.#sandboxes.clear();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #sandbox(name: string): SandboxConfig {
    return {
      metadata: { name, namespace: "bare", uid: name, attempt: 0 },
      hostname: name,
      logDirectory: join(this.#folder, name),
      dns: { servers: [], searches: [], options: [] },
      portMappings: [],
      labels: {},
      annotations: {},
      cgroupParent: `${this.#cgroup}/${name}`,
      sysctls: {},
      namespaces,
      supplementalGroups: [],
      privileged: false,
      readonlyRootfs: false,
      seccomp: unconfined,
      runtimeHandler: "",
    };
  }
}

const containerOf = (image: string): ContainerConfig => ({
  name: "hello",
  attempt: 0,
  image,
  userImage: "skiff/hello:1",
  command: [],
  args: [],
  workingDir: "",
  env: [],
  mounts: [],
  devices: [],
  labels: {},
  annotations: {},
  logPath: "hello/0.log",
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  security: {
    privileged: false,
    addCapabilities: [],
    dropCapabilities: [],
    namespaces,
    supplementalGroups: [],
    readonlyRootfs: false,
    noNewPrivileges: false,
    seccomp: unconfined,
    maskedPaths: [],
    readonlyPaths: [],
  },
});
