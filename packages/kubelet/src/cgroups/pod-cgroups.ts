import type { Pod } from "@skiff/api";
import type { Cgroups } from "@skiff/host";
import type { PodIdentity } from "../pods/pod-identity.ts";
import { qosClass } from "../pods/qos.ts";
import { podCgroupLimits } from "./resources.ts";

/** A pod's cgroup: guaranteed pods lie at the root, the others below their class. */
export function podCgroupPath(root: string, pod: Pod): string {
  const qos = qosClass(pod);
  const folder = qos === "Guaranteed" ? root : `${root}/${qos.toLowerCase()}`;
  return `${folder}/pod${pod.metadata.uid}`;
}

/** The tree of cgroups that pods live in. containerd leaves a pod's cgroup behind, so the kubelet makes and removes it. */
export class PodCgroups {
  readonly #cgroups: Cgroups | undefined;
  readonly #root: string;

  constructor(cgroups: Cgroups | undefined, root: string) {
    this.#cgroups = cgroups;
    this.#root = root;
  }

  path(pod: Pod): string {
    return podCgroupPath(this.#root, pod);
  }

  /** Makes the classes' cgroups. */
  async prepare(): Promise<void> {
    await this.#cgroups?.create(this.#root, {});
    await this.#cgroups?.create(`${this.#root}/besteffort`, { cpuShares: 2 });
    await this.#cgroups?.create(`${this.#root}/burstable`, {});
  }

  async create(pod: Pod): Promise<void> {
    await this.#cgroups?.create(this.path(pod), podCgroupLimits(pod));
  }

  /** Removes a pod's cgroup wherever it lies; fine when there is none. */
  async remove(pod: Pick<PodIdentity, "uid">): Promise<void> {
    if (this.#cgroups === undefined) return;
    for (const folder of [this.#root, `${this.#root}/burstable`, `${this.#root}/besteffort`]) {
      const path = `${folder}/pod${pod.uid}`;
      if (await this.#cgroups.exists(path)) await this.#cgroups.remove(path);
    }
  }
}
