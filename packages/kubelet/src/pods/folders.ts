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

  /** Holds a folder for each pod. */
  get pods(): string {
    return join(this.#root, "pods");
  }

  /** A file system in memory, one for the node: secrets are never written to disk. */
  get memory(): string {
    return join(this.#root, "memory");
  }

  pod(uid: string): string {
    return join(this.pods, uid);
  }

  /** The part of a pod's files that lies in memory. */
  podMemory(uid: string): string {
    return join(this.memory, uid);
  }

  /** `pluginName` as in `kubernetes.io~empty-dir`. */
  volume(uid: string, pluginName: string, volume: string): string {
    return join(this.pod(uid), "volumes", pluginName, volume);
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
