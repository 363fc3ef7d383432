import { join } from "node:path";
import type { NodeIdentity } from "../options.ts";
import type { PodIdentity } from "./pod-identity.ts";

/** Where the files of pods lie. */
export class PodFolders {
  readonly #root: string;
  readonly #logs: string;

  constructor(node: Pick<NodeIdentity, "rootFolder" | "logFolder">) {
    this.#root = node.rootFolder;
    this.#logs = node.logFolder;
  }

  get root(): string {
    return this.#root;
  }

  /** Holds a folder for each pod. */
  get pods(): string {
    return join(this.#root, "pods");
  }

  /** A file system in memory, one for the node: secrets are never written to disk. */
  get memory(): string {
    return join(this.#root, "memory");
  }

  /** Holds a folder of logs for each pod. */
  get logs(): string {
    return this.#logs;
  }

  pod(uid: string): string {
    return join(this.pods, uid);
  }

  /** The part of a pod's files that lies in memory. */
  podMemory(uid: string): string {
    return join(this.memory, uid);
  }

  /** Holds a folder for each plugin that a pod has volumes of. */
  volumeRoot(uid: string, mode: "Filesystem" | "Block"): string {
    return join(this.pod(uid), mode === "Block" ? "volumeDevices" : "volumes");
  }

  /** Holds a folder for each of a pod's volumes of one plugin; `plugin` as in `kubernetes.io~empty-dir`. */
  volumes(uid: string, plugin: string, mode: "Filesystem" | "Block"): string {
    return join(this.volumeRoot(uid, mode), plugin);
  }

  pluginStateRoot(uid: string): string {
    return join(this.pod(uid), "plugins");
  }

  /** What a plugin remembers of a volume. */
  pluginState(uid: string, plugin: string, volume: string): string {
    return join(this.pluginStateRoot(uid), plugin, volume);
  }

  /** Parts of volumes that containers mount: `VOLUME/CONTAINER/INDEX` below it. */
  subPaths(uid: string): string {
    return join(this.pod(uid), "volume-subpaths");
  }

  hosts(uid: string): string {
    return join(this.pod(uid), "etc-hosts");
  }

  terminationMessage(uid: string, container: string, attempt: number): string {
    return join(this.pod(uid), "containers", container, String(attempt));
  }

  podLogs({ namespace, name, uid }: PodIdentity): string {
    return join(this.#logs, `${namespace}_${name}_${uid}`);
  }

  /** A container's log file below the pod's folder of logs. */
  logPath(container: string, attempt: number): string {
    return join(container, `${attempt}.log`);
  }
}
