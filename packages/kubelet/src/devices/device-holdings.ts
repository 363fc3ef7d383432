import type { Container, Pod } from "@skiff/api";
import { isSidecar } from "../pods/restart-policy.ts";
import type { ContainerAllocateResponse } from "./messages.ts";

/** Devices of one resource that a container has, and what their plugin said it needs to use them. */
export interface Holding {
  readonly podUid: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly response: ContainerAllocateResponse;
}

/** Which container has which devices. */
export class DeviceHoldings {
  #all: readonly Holding[] = [];

  get all(): readonly Holding[] {
    return this.#all;
  }

  add(holding: Holding): void {
    this.#all = [...this.#all.filter((one) => !isSame(one, holding)), holding];
  }

  replaceAll(holdings: readonly Holding[]): void {
    this.#all = holdings;
  }

  /** Whether there was anything to release. */
  release(podUid: string): boolean {
    const kept = this.#all.filter((one) => one.podUid !== podUid);
    const released = kept.length < this.#all.length;
    this.#all = kept;
    return released;
  }

  of(podUid: string, container: string): readonly Holding[] {
    return this.#all.filter((one) => one.podUid === podUid && one.container === container);
  }

  ids(podUid: string, container: string, resource: string): readonly string[] {
    return this.of(podUid, container).find((one) => one.resource === resource)?.ids ?? [];
  }

  taken(resource: string): ReadonlySet<string> {
    return new Set(this.#all.flatMap((one) => (one.resource === resource ? one.ids : [])));
  }

  /** What init containers of the pod had, which have ended by the time that `container` starts. */
  reusable(pod: Pod, container: Container, resource: string): readonly string[] {
    const passing = (pod.spec.initContainers ?? []).filter((one) => !isSidecar(one)).map(({ name }) => name);
    const mine = this.#all.filter((one) => one.podUid === pod.metadata.uid && one.resource === resource);
    const kept = new Set(mine.filter((one) => !passing.includes(one.container)).flatMap(({ ids }) => ids));
    const ids = mine
      .filter((one) => passing.includes(one.container) && one.container !== container.name)
      .flatMap((one) => one.ids);
    return [...new Set(ids)].filter((id) => !kept.has(id));
  }
}

const isSame = (a: Holding, b: Holding): boolean =>
  a.podUid === b.podUid && a.container === b.container && a.resource === b.resource;
