import { type Node, podRangeAnnotation } from "@skiff/api";
import { type IpRange, parseRange, present } from "@skiff/base";
import { RangeDivider } from "./range-divider.ts";

/** What nodes are given ranges for their pods from. */
export interface PodRangeSettings {
  /** One network, or one of each family. */
  readonly clusterCidrs: readonly string[];
  /** How long the prefixes of nodes' networks are, in the same order. */
  readonly maskSizes: readonly number[];
  /** Networks of Services: no node gets any of them. */
  readonly serviceCidrs: readonly string[];
}

/** The ranges that nodes' status tells of. */
export const rangesOf = ({ spec }: Node): readonly string[] =>
  spec.podCIDRs ?? (spec.podCIDR === undefined ? [] : [spec.podCIDR]);

/** Who has which ranges. */
export class PodRanges {
  readonly #dividers: readonly RangeDivider[];
  /** By the name of the node. What was given a moment ago is among it before the node's object says so. */
  readonly #held = new Map<string, readonly string[]>();

  constructor({ clusterCidrs, maskSizes, serviceCidrs }: PodRangeSettings) {
    const read = (text: string): IpRange => present(parseRange(text), `a network, not ${text}`);
    const reserved = serviceCidrs.map(read);
    this.#dividers = clusterCidrs.map((text, at) => {
      const length = present(maskSizes[at], "a mask size for each network");
      return new RangeDivider(read(text), length, reserved);
    });
  }

  /** A node is there, as told. */
  see(node: Node): void {
    const ranges = rangesOf(node);
    if (ranges.length > 0) this.#hold(node.metadata.name, ranges);
  }

  /** A node is gone. */
  forget(name: string): void {
    this.#hold(name, []);
  }

  /** Ranges for a node that has none, one of each network; `undefined` while one of them is used up. */
  give(node: Node): readonly string[] | undefined {
    const before = this.#held.get(node.metadata.name);
    if (before !== undefined) return before;
    const wish = node.metadata.annotations?.[podRangeAnnotation];
    const ranges = this.#dividers.map((divider) => divider.find(wish));
    const found = ranges.filter((range) => range !== undefined);
    if (found.length < ranges.length) return undefined;
    this.#hold(node.metadata.name, found);
    return found;
  }

  #hold(name: string, ranges: readonly string[]): void {
    for (const text of ranges) for (const divider of this.#dividers) divider.hold(text);
    for (const text of this.#held.get(name) ?? []) for (const divider of this.#dividers) divider.letGo(text);
    if (ranges.length > 0) this.#held.set(name, ranges);
    else this.#held.delete(name);
  }
}
