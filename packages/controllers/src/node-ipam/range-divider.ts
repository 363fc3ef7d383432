import { type IpRange, overlaps, parseRange, rangeText, subnet, subnetCount } from "@skiff/base";

/**
 * Gives parts of one network away, one after the other and around, so that what was given back is not given to the next at
 * once. Parts may be held by several: what nodes brought along is not ours to refuse.
 */
export class RangeDivider {
  readonly #range: IpRange;
  readonly #length: number;
  readonly #count: number;
  /** How many hold a part, by its number. */
  readonly #holders = new Map<number, number>();
  #next = 0;

  /** `reserved`: networks that no part may overlap. */
  constructor(range: IpRange, length: number, reserved: readonly IpRange[]) {
    this.#range = range;
    this.#length = length;
    this.#count = subnetCount(range, length);
    for (const one of reserved) this.hold(rangeText(one));
  }

  get family(): IpRange["family"] {
    return this.#range.family;
  }

  hold(text: string): void {
    for (const part of this.#partsOf(text)) this.#holders.set(part, (this.#holders.get(part) ?? 0) + 1);
  }

  letGo(text: string): void {
    for (const part of this.#partsOf(text)) {
      const left = (this.#holders.get(part) ?? 0) - 1;
      if (left > 0) this.#holders.set(part, left);
      else this.#holders.delete(part);
    }
  }

  /** A part that nobody holds: the wanted one where that is so. `undefined` when there is none. The caller holds it then. */
  find(wanted?: string): string | undefined {
    const wish = wanted === undefined ? undefined : parseRange(wanted);
    if (wish !== undefined && this.#isFreePart(wish)) return rangeText(wish);
    for (let step = 0; step < this.#count; step++) {
      const part = (this.#next + step) % this.#count;
      if (this.#holders.has(part)) continue;
      this.#next = (part + 1) % this.#count;
      return rangeText(subnet(this.#range, this.#length, part));
    }
    return undefined;
  }

  #isFreePart(wish: IpRange): boolean {
    const text = rangeText(wish);
    const parts = this.#partsOf(text);
    return wish.length === this.#length && parts.length === 1 && parts.every((part) => !this.#holders.has(part));
  }

  /** The parts that a network overlaps. */
  #partsOf(text: string): readonly number[] {
    const range = parseRange(text);
    if (range === undefined || !overlaps(this.#range, range)) return [];
    if (range.length <= this.#range.length) return Array.from({ length: this.#count }, (_, part) => part);
    const shift = BigInt((range.family === "IPv4" ? 32 : 128) - this.#length);
    const first = Number((range.first - this.#range.first) >> shift);
    const count = range.length >= this.#length ? 1 : 2 ** (this.#length - range.length);
    return Array.from({ length: count }, (_, at) => first + at);
  }
}
