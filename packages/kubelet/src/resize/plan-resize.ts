import { asMillis, asUnits, type Container, type Pod } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { ContainerStatus } from "@skiff/runtime";
import type { PodView } from "../pods/runtime-cache.ts";
import { type Resources, resourcesOf } from "./allocation.ts";

/** A running container whose limits are not what was granted. */
export interface ContainerResize {
  readonly container: Container;
  readonly status: ContainerStatus;
  /** Its policy wants it started anew for this. */
  readonly restart: boolean;
}

const changed = (name: "cpu" | "memory", a: Resources, b: Resources): boolean => {
  const amount = name === "cpu" ? asMillis : asUnits;
  const same = (x: string | undefined, y: string | undefined) =>
    x === undefined || y === undefined ? x === y : amount(x) === amount(y);
  return !same(a.requests?.[name], b.requests?.[name]) || !same(a.limits?.[name], b.limits?.[name]);
};

/** The running containers of a pod (as it was granted) that have other limits than they should. */
export function planResize(
  pod: Pod,
  view: PodView,
  actual: (containerId: string) => Resources | undefined,
): readonly ContainerResize[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return containers.flatMap((container): readonly ContainerResize[] => {
    const status = view.containers.find((one) => one.name === container.name);
    if (status?.state !== "running") return [];
    const has = actual(status.id);
    const wants = resourcesOf(container.resources);
    if (has === undefined || jsonEqual(has, wants)) return [];
    const names = (["cpu", "memory"] as const).filter((name) => changed(name, has, wants));
    if (names.length === 0) return [];
    const restart = names.some((name) =>
      container.resizePolicy?.some((one) => one.resourceName === name && one.restartPolicy === "RestartContainer"),
    );
    return [{ container, status, restart }];
  });
}

/** Of two limits of a group the one that lets through what either does: for the time in which containers change. */
export const looser = (before: number | undefined, after: number | undefined): number | undefined =>
  before === undefined || after === undefined ? undefined : before < 0 || after < 0 ? -1 : Math.max(before, after);
