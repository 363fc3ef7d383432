import { decode, encode, type Packet } from "dns-packet";
import { encodeMessage } from "./encode-message.ts";
import type { RecordData, TimedRecord } from "./records.ts";
import { lookUp, startOfAuthority, type ZoneAnswer, type ZoneSource } from "./zone.ts";

/** How long clients may keep an answer: Services and endpoints change at any time. */
const ttlSeconds = 5;
const plainUdpBytes = 512;
/** More than this is not asked of the network between client and server in one datagram. */
const mostUdpBytes = 4_096;
const mostTcpBytes = 65_535;
/** Names for names for names: further than this is a loop. */
const longestChain = 8;

const codes = { formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const;
const isResponse = 1 << 15;
const authoritative = 1 << 10;
const truncated = 1 << 9;
const recursionDesired = 1 << 8;
const recursionAvailable = 1 << 7;

/** What to do with a query: an answer from the cluster's zone, or it is for somebody else to answer. */
export type Reply =
  | { readonly kind: "answer"; readonly message: Buffer }
  | { readonly kind: "forward" }
  /** The name stands for one outside the cluster: `query` is for somebody else, `finish` makes the answer of theirs. */
  | {
      readonly kind: "chase";
      readonly query: Buffer;
      readonly finish: (theirs: Buffer | undefined) => Buffer;
    }
  /** Not even a header: nothing can be answered. */
  | { readonly kind: "drop" };

/** Answers one message; never throws, whatever the message is. The transport says how large an answer may be. */
export function answerQuery(message: Buffer, source: ZoneSource, transport: "udp" | "tcp"): Reply {
  if (message.length < 12 || (message.readUInt16BE(2) & isResponse) !== 0) return { kind: "drop" };
  const refuse = (code: number): Reply => ({ kind: "answer", message: failure(message, code) });
  if (((message.readUInt16BE(2) >> 11) & 0xf) !== 0) return refuse(codes.notImplemented);
  const section = questionSection(message);
  if (section === undefined) return refuse(codes.formatError);
  let query: Packet;
  try {
    query = decode(message);
  } catch {
    return refuse(codes.formatError);
  }
  const question = query.questions?.[0];
  if (question === undefined) return refuse(codes.formatError);
  try {
    const answer = lookUp(source, question);
    if (answer.kind === "notOurs") return { kind: "forward" };
    return respond({ message, query, section, transport, source }, question, answer);
  } catch {
    // A Service may name something that DNS cannot carry.
    return refuse(codes.serverFailure);
  }
}

interface Asked {
  readonly message: Buffer;
  readonly query: Packet;
  readonly section: Buffer;
  readonly transport: "udp" | "tcp";
  readonly source: ZoneSource;
}

function respond(
  asked: Asked,
  question: { readonly name: string; readonly type: string },
  answer: Exclude<ZoneAnswer, { kind: "notOurs" }>,
): Reply {
  if (answer.kind === "noSuchName") return { kind: "answer", message: written(asked, [], [], codes.noSuchName) };
  const answers: TimedRecord[] = answer.records.map((record) => ({ name: question.name, record }));
  let [last] = answer.records;
  // Whoever asks for an address wants one, not the name of another name.
  for (let step = 0; last?.type === "CNAME" && (question.type === "A" || question.type === "AAAA"); step++) {
    const target = last.data;
    const next = step < longestChain ? lookUp(asked.source, { name: target, type: question.type }) : undefined;
    if (next?.kind === "notOurs") return chase(asked, { answers, target, type: question.type });
    const records = next?.kind === "found" ? next.records : [];
    answers.push(...records.map((record) => ({ name: target, record })));
    [last] = records;
  }
  return { kind: "answer", message: written(asked, answers, answer.additional, 0) };
}

function chase(
  asked: Asked,
  {
    answers,
    target,
    type,
  }: { readonly answers: readonly TimedRecord[]; readonly target: string; readonly type: "A" | "AAAA" },
): Reply {
  const query = encode({
    type: "query",
    id: asked.message.readUInt16BE(0),
    flags: recursionDesired,
    questions: [{ type, name: target, class: "IN" }],
  });
  const finish = (theirs: Buffer | undefined) => written(asked, [...answers, ...addressesIn(theirs)], [], 0);
  return { kind: "chase", query, finish };
}

/** What another server said of a name's addresses; nothing where it said nothing that can be read. */
function addressesIn(message: Buffer | undefined): readonly TimedRecord[] {
  if (message === undefined) return [];
  try {
    return (decode(message).answers ?? []).flatMap((answer): TimedRecord[] => {
      if (answer.type !== "A" && answer.type !== "AAAA" && answer.type !== "CNAME") return [];
      const record: RecordData = { type: answer.type, data: answer.data };
      return [{ name: answer.name, record, ttlSeconds: answer.ttl ?? ttlSeconds }];
    });
  } catch {
    return [];
  }
}

/** The response's bytes; what is too large for the client loses its last records, and says so. */
function written(
  { query, section, transport, source }: Asked,
  answers: readonly TimedRecord[],
  additionals: readonly TimedRecord[],
  code: number,
): Buffer {
  const option = query.additionals?.find((record) => record.type === "OPT");
  const asked = option?.type === "OPT" ? option.udpPayloadSize : plainUdpBytes;
  const limit = transport === "tcp" ? mostTcpBytes : Math.max(plainUdpBytes, Math.min(asked, mostUdpBytes));
  const soa: TimedRecord = { name: source.domain, record: startOfAuthority(source.domain) };
  const flags = isResponse | authoritative | recursionAvailable | ((query.flags ?? 0) & recursionDesired) | code;
  const whole = {
    id: query.id ?? 0,
    flags,
    question: section,
    answers,
    authorities: answers.length === 0 ? [soa] : [],
    additionals,
    edns: option !== undefined,
    ttlSeconds,
  };
  const attempt = encodeMessage(whole);
  if (attempt.length <= limit) return attempt;
  const bare = { ...whole, additionals: [] };
  const spare = encodeMessage(bare);
  if (spare.length <= limit) return spare;
  // As many as fit: old resolvers make do with those, others ask again over a connection.
  let [fits, tooMany] = [0, answers.length];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (encodeMessage({ ...bare, answers: answers.slice(0, middle) }).length <= limit) fits = middle;
    else tooMany = middle;
  }
  return encodeMessage({ ...bare, flags: flags | truncated, answers: answers.slice(0, fits) });
}

/** The bytes of the one question, or `undefined` when there is not exactly one that is whole. */
function questionSection(message: Buffer): Buffer | undefined {
  if (message.readUInt16BE(4) !== 1) return undefined;
  let at = 12;
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > 63) return undefined;
    at += 1 + length;
  }
  return at + 5 <= message.length && at - 12 < 255 ? message.subarray(12, at + 5) : undefined;
}

/** An answer that says only what went wrong, with the question where there was one: resolvers compare it. */
export function failure(message: Buffer, code: number): Buffer {
  const question = questionSection(message) ?? Buffer.alloc(0);
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header.writeUInt16BE(isResponse | (message.readUInt16BE(2) & 0x7900) | recursionAvailable | code, 2);
  header.writeUInt16BE(question.length === 0 ? 0 : 1, 4);
  return Buffer.concat([header, question]);
}
