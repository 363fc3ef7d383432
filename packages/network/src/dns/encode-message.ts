import type { RecordData, TimedRecord } from "./records.ts";

/** A response before it is bytes. */
export interface Response {
  readonly id: number;
  /** All flags, the response's code among them. */
  readonly flags: number;
  /** The question section as it was asked, byte by byte: clients may compare its case. */
  readonly question: Buffer;
  readonly answers: readonly TimedRecord[];
  readonly authorities: readonly TimedRecord[];
  readonly additionals: readonly TimedRecord[];
  /** Whether the client speaks EDNS: it is then answered in kind. */
  readonly edns: boolean;
  readonly ttlSeconds: number;
}

const headerBytes = 12;
const classIn = 1;
const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;
/** What this server takes in one datagram: no fragments on any usual link. */
const ownDatagramBytes = 1_232;
/** Pointers reach no further. */
const pointerReach = 0x3fff;

/**
 * Writes a response. Names that were written before are pointed to instead of repeated: an address of a Service then takes
 * 16 bytes, and some thirty of them fit into the 512 bytes that old resolvers take. Throws `RangeError` for names that
 * cannot be written.
 */
export function encodeMessage(response: Response): Buffer {
  const writer = new Writer(response.question);
  const { answers, authorities, additionals, edns } = response;
  for (const record of [...answers, ...authorities, ...additionals]) writer.record(record, response.ttlSeconds);
  if (edns) writer.bytes([0, 0, 41, ownDatagramBytes >> 8, ownDatagramBytes & 255, 0, 0, 0, 0, 0, 0]);
  const header = Buffer.alloc(headerBytes);
  const counts = [1, answers.length, authorities.length, additionals.length + (edns ? 1 : 0)];
  for (const [index, value] of [response.id, response.flags, ...counts].entries()) {
    header.writeUInt16BE(value & 0xffff, index * 2);
  }
  return Buffer.concat([header, writer.finish()]);
}

class Writer {
  readonly #parts: Buffer[];
  #length: number;
  readonly #names = new Map<string, number>();

  constructor(question: Buffer) {
    this.#parts = [question];
    this.#length = headerBytes + question.length;
    this.#rememberQuestion(question);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  bytes(values: readonly number[] | Buffer): void {
    const part = Buffer.from(values);
    this.#parts.push(part);
    this.#length += part.length;
  }

  record({ name, record, ttlSeconds }: TimedRecord, defaultTtl: number): void {
    this.#name(name);
    this.bytes([...be16(types[record.type]), ...be16(classIn), ...be32(ttlSeconds ?? defaultTtl)]);
    const length = Buffer.alloc(2);
    this.#parts.push(length);
    this.#length += 2;
    const start = this.#length;
    this.#data(record);
    length.writeUInt16BE(this.#length - start);
  }

  #data(record: RecordData): void {
    switch (record.type) {
      case "A":
        this.bytes(record.data.split(".").map(Number));
        break;
      case "AAAA":
        this.bytes(ipv6Bytes(record.data));
        break;
      case "CNAME":
      case "PTR":
      case "NS":
        this.#name(record.data);
        break;
      case "TXT":
        this.bytes([record.data.length, ...Buffer.from(record.data)]);
        break;
      case "SRV": {
        const { priority, weight, port, target } = record.data;
        this.bytes([...be16(priority), ...be16(weight), ...be16(port)]);
        // RFC 2782: the target is not compressed.
        this.bytes(labelsOf(target).flatMap((label) => [label.length, ...Buffer.from(label)]));
        this.bytes([0]);
        break;
      }
      case "SOA": {
        const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
        this.#name(mname);
        this.#name(rname);
        this.bytes([serial, refresh, retry, expire, minimum].flatMap(be32));
        break;
      }
    }
  }

  #name(name: string): void {
    const labels = labelsOf(name);
    for (let index = 0; index < labels.length; index++) {
      const suffix = labels.slice(index).join(".").toLowerCase();
      const known = this.#names.get(suffix);
      if (known !== undefined) {
        this.bytes(be16(0xc000 | known));
        return;
      }
      if (this.#length <= pointerReach) this.#names.set(suffix, this.#length);
      const label = Buffer.from(labels[index] ?? "");
      this.bytes([label.length, ...label]);
    }
    this.bytes([0]);
  }

  #rememberQuestion(question: Buffer): void {
    const found: { readonly at: number; readonly label: string }[] = [];
    for (let at = 0; at < question.length; ) {
      const length = question[at] ?? 0;
      if (length === 0 || length > 63) break;
      found.push({ at: headerBytes + at, label: question.toString("latin1", at + 1, at + 1 + length) });
      at += 1 + length;
    }
    for (const [index, { at }] of found.entries()) {
      const suffix = found.slice(index).map(({ label }) => label);
      this.#names.set(suffix.join(".").toLowerCase(), at);
    }
  }
}

function labelsOf(name: string): readonly string[] {
  const labels = name.split(".").filter((label) => label !== "");
  if (name.length > 253 || labels.some((label) => Buffer.byteLength(label) > 63)) {
    throw new RangeError(`not a name that DNS can carry: ${name}`);
  }
  return labels;
}

const be16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value & 0xffff)];

/** `fd00::7` as 16 bytes. */
function ipv6Bytes(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  return [...before, ...(tail === undefined ? [] : zeros), ...after].flatMap(be16);
}
