import { asMillis, type Pod, podRequests } from "@skiff/api";
import type { CgroupCounters, CgroupLimits, CgroupStats, Cgroups } from "@skiff/host";
import type { PodIdentity } from "../pods/pod-identity.ts";
import { qosClass } from "../pods/qos.ts";
import { cpuShares, podCgroupLimits } from "./resources.ts";

/** A pod's cgroup: guaranteed pods lie at the root, the others below their class. */
export function podCgroupPath(root: string, pod: Pod): string {
  const qos = qosClass(pod);
  const folder = qos === "Guaranteed" ? root : `${root}/${qos.toLowerCase()}`;
  return `${folder}/pod${pod.metadata.uid}`;
}

/** What all pods together may use. */
export interface NodeLimits {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** For each pod; -1: none. */
  readonly podPids: number;
  /** For all pods, so that the machine itself can still start processes; -1: none. */
  readonly allPids: number;
}

/** The tree of cgroups that pods live in. containerd leaves a pod's cgroup behind, so the kubelet makes and removes it. */
export class PodCgroups {
  readonly #cgroups: Cgroups | undefined;
  readonly #root: string;
  readonly #limits: NodeLimits | undefined;
  #burstableShares = 0;

  constructor(cgroups: Cgroups | undefined, root: string, limits?: NodeLimits) {
    this.#cgroups = cgroups;
    this.#root = root;
    this.#limits = limits;
  }

  path(pod: Pod): string {
    return podCgroupPath(this.#root, pod);
  }

  /** Makes the classes' cgroups. */
  async prepare(): Promise<void> {
    const { cpuMillis, memoryBytes, allPids } = this.#limits ?? {};
    await this.#cgroups?.create(this.#root, {
      ...(cpuMillis === undefined ? {} : { cpuShares: cpuShares(cpuMillis) }),
      ...(memoryBytes === undefined ? {} : { memoryLimitBytes: memoryBytes }),
      ...(allPids === undefined || allPids <= 0 ? {} : { pids: allPids }),
    });
    await this.#cgroups?.create(`${this.#root}/besteffort`, { cpuShares: 2 });
    await this.#cgroups?.create(`${this.#root}/burstable`, { cpuShares: 2 });
  }

  async create(pod: Pod): Promise<void> {
    await this.#cgroups?.create(this.path(pod), this.limits(pod));
  }

  /** The limits that a pod's cgroup has. */
  limits(pod: Pod): CgroupLimits {
    return podCgroupLimits(pod, this.#limits?.podPids);
  }

  /** Changes the limits of a pod's cgroup while its containers run. */
  async limit(pod: Pod, limits: CgroupLimits): Promise<void> {
    await this.#cgroups?.limit(this.path(pod), limits);
  }

  /** What a pod uses; `undefined` where that is not known. */
  async stats(pod: Pod): Promise<CgroupStats | undefined> {
    return await this.#cgroups?.stats(this.path(pod));
  }

  /** What a container of a pod has done; with no id, the whole pod. `undefined` where that is not known. */
  async counters(pod: Pod, containerId?: string): Promise<CgroupCounters | undefined> {
    return await this.#cgroups?.counters(
      containerId === undefined ? this.path(pod) : `${this.path(pod)}/${containerId}`,
    );
  }

  /** Pids of a pod's processes. */
  async processes(pod: Pod): Promise<readonly number[]> {
    return (await this.#cgroups?.processes(this.path(pod))) ?? [];
  }

  /** What all pods together use. */
  async allStats(): Promise<CgroupStats | undefined> {
    return await this.#cgroups?.stats(this.#root);
  }

  /** Gives burstable pods together the weight that their requests add up to. */
  async weighBurstable(pods: readonly Pod[]): Promise<void> {
    const burstable = pods.filter((pod) => qosClass(pod) === "Burstable");
    const shares = cpuShares(burstable.reduce((sum, pod) => sum + asMillis(podRequests(pod).cpu ?? "0"), 0));
    if (shares === this.#burstableShares) return;
    this.#burstableShares = shares;
    await this.#cgroups?.limit(`${this.#root}/burstable`, { cpuShares: shares });
  }

  /** Uids of all pods that have a cgroup. */
  async remains(): Promise<readonly string[]> {
    const folders = [this.#root, `${this.#root}/burstable`, `${this.#root}/besteffort`];
    const groups = await Promise.all(folders.map(async (folder) => (await this.#cgroups?.children(folder)) ?? []));
    return groups.flat().flatMap((path) => /\/pod([^/]+)$/.exec(path)?.[1] ?? []);
  }

  /** Removes a pod's cgroup wherever it lies; fine when there is none. */
  async remove(pod: Pick<PodIdentity, "uid">): Promise<void> {
    if (this.#cgroups === undefined) return;
    for (const folder of [this.#root, `${this.#root}/burstable`, `${this.#root}/besteffort`]) {
      await this.#cgroups.remove(`${folder}/pod${pod.uid}`);
    }
  }
}
