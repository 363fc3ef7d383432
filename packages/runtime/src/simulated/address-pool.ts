import { RuntimeError } from "../runtime.ts";

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** IPv4 addresses of a CIDR for pods: not its first (the network), second (the gateway) or last (broadcast). */
export class AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #taken = new Set<number>();
  #next: number;

  /** `cidr` as in `10.42.0.0/24`. */
  constructor(cidr: string) {
    const [base = "", prefix = "32"] = cidr.split("/");
    const size = 2 ** (32 - Number(prefix));
    const network = Math.floor(toNumber(base) / size) * size;
    this.#first = network + 2;
    this.#last = network + size - 2;
    this.#next = this.#first;
  }

  /** An address that has been unused the longest. Throws when all are in use. */
  take(): string {
    for (let tried = this.#first; tried <= this.#last; tried++) {
      const candidate = this.#next;
      this.#next = candidate === this.#last ? this.#first : candidate + 1;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return toText(candidate);
    }
    throw new RuntimeError("UNKNOWN", "no IP addresses available in range set");
  }

  release(address: string): void {
    this.#taken.delete(toNumber(address));
  }
}
