import { asMillis, asUnits, type Container, type Pod } from "@skiff/api";
import type { CgroupLimits } from "@skiff/host";
import type { ContainerStatus } from "@skiff/runtime";
import type { PodView } from "../pods/runtime-cache.ts";
import { type GivenResources, givenTo } from "./allocation.ts";

/** A running container whose limits are not what was granted. */
export interface ContainerResize {
  readonly container: Container;
  readonly status: ContainerStatus;
  /** Its policy wants it started anew for this. */
  readonly restart: boolean;
}

const changed = (name: "cpu" | "memory", a: GivenResources, b: GivenResources): boolean => {
  const amount = name === "cpu" ? asMillis : asUnits;
  const same = (x: string | undefined, y: string | undefined) =>
    x === undefined || y === undefined ? x === y : amount(x) === amount(y);
  const limit = ({ limits, podLimits }: GivenResources) => limits?.[name] ?? podLimits?.[name];
  return !same(a.requests?.[name], b.requests?.[name]) || !same(limit(a), limit(b));
};

/** The running containers of a pod (as it was granted) that have other limits than they should. */
export function planResize(
  pod: Pod,
  view: PodView,
  actual: (containerId: string) => GivenResources | undefined,
): readonly ContainerResize[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return containers.flatMap((container): readonly ContainerResize[] => {
    const status = view.containers.find((one) => one.name === container.name);
    if (status?.state !== "running") return [];
    const has = actual(status.id);
    if (has === undefined) return [];
    const wants = givenTo(container, pod);
    const names = (["cpu", "memory"] as const).filter((name) => changed(name, has, wants));
    if (names.length === 0) return [];
    const restart = names.some((name) =>
      container.resizePolicy?.some((one) => one.resourceName === name && one.restartPolicy === "RestartContainer"),
    );
    return [{ container, status, restart }];
  });
}

/** Limits of a group that let through what either of two does: for the time in which containers change. */
export const looserLimits = (
  a: CgroupLimits,
  b: CgroupLimits,
): Required<Pick<CgroupLimits, "cpuQuotaUs" | "memoryLimitBytes">> => ({
  cpuQuotaUs: looser(a.cpuQuotaUs, b.cpuQuotaUs),
  memoryLimitBytes: looser(a.memoryLimitBytes, b.memoryLimitBytes),
});

const looser = (a = -1, b = -1): number => (a < 0 || b < 0 ? -1 : Math.max(a, b));
