import type { KeyValue, Range } from "../store.ts";
import type { EtcdKeyValue } from "./messages.ts";

/** etcd's own first key: it takes no empty one. */
const firstKey = Buffer.of(0);

/** Maps the store's keys to etcd's, all below one prefix, so that several clusters may share an etcd. */
export class KeySpace {
  readonly #prefix: string;
  readonly #prefixBytes: number;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#prefixBytes = Buffer.byteLength(prefix);
  }

  key(key: string): Buffer {
    return Buffer.from(this.#prefix + key);
  }

  /** Nothing for a range that holds no key: etcd would take it for a single one, or refuse it. */
  range({ start, end }: Range): { readonly key: Buffer; readonly rangeEnd: Buffer } | undefined {
    const key = this.#prefix + start === "" ? firstKey : this.key(start);
    const rangeEnd = this.key(end);
    return end === "" || Buffer.compare(key, rangeEnd) >= 0 ? undefined : { key, rangeEnd };
  }

  entry({ key, value, createRevision, modRevision, version, lease }: EtcdKeyValue): KeyValue {
    return {
      key: this.text(key),
      value,
      createRevision,
      modRevision,
      version,
      lease: lease === 0 ? undefined : lease,
    };
  }

  text(key: Uint8Array): string {
    return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("utf8", this.#prefixBytes);
  }
}
