import { type Answer, decode, encode, type Packet } from "dns-packet";
import { lookUp, type NamedRecord, type RecordData, type ZoneSource } from "./zone.ts";

/** How long clients may keep an answer: Services and endpoints change at any time. */
const ttlSeconds = 5;
const plainUdpBytes = 512;

const codes = { formatError: 1, noSuchName: 3, notImplemented: 4 } as const;
const authoritative = 1 << 10;
const recursionDesired = 1 << 8;
const recursionAvailable = 1 << 7;
const truncated = 1 << 9;

/** What to do with a query: an answer from the cluster's zone, or it is for somebody else to answer. */
export type Reply =
  | { readonly kind: "answer"; readonly message: Buffer }
  | { readonly kind: "forward" }
  /** Not even a header: nothing can be answered. */
  | { readonly kind: "drop" };

/** Answers one message. `maxBytes` limits datagrams; connections have none. */
export function answerQuery(message: Buffer, source: ZoneSource, transport: "udp" | "tcp"): Reply {
  if (message.length < 12 || (message.readUInt16BE(2) & 0x8000) !== 0) return { kind: "drop" };
  let query: Packet;
  try {
    query = decode(message);
  } catch {
    return { kind: "answer", message: failure(message, codes.formatError) };
  }
  const opcode = (message.readUInt16BE(2) >> 11) & 0xf;
  if (opcode !== 0) return { kind: "answer", message: failure(message, codes.notImplemented) };
  const question = query.questions?.[0];
  if (question === undefined || (query.questions?.length ?? 0) > 1)
    return { kind: "answer", message: failure(message, codes.formatError) };
  const answer = lookUp(source, question);
  if (answer.kind === "notOurs") return { kind: "forward" };
  const records = answer.kind === "found" ? answer.records.map((record) => toAnswer(question.name, record)) : [];
  const additional = answer.kind === "found" ? answer.additional.map(namedAnswer) : [];
  const code = answer.kind === "noSuchName" ? codes.noSuchName : 0;
  const response: Packet = {
    type: "response",
    id: query.id ?? 0,
    flags: authoritative | ((query.flags ?? 0) & recursionDesired) | recursionAvailable | code,
    questions: [question],
    answers: records,
    authorities: records.length === 0 ? [startOfAuthority(source.domain)] : [],
    additionals: additional,
  };
  return { kind: "answer", message: fitted(response, transport === "udp" ? datagramLimit(query) : 65_535) };
}

/** A bare answer that says only what went wrong. */
export function failure(message: Buffer, code: number): Buffer {
  const response = Buffer.alloc(12);
  message.copy(response, 0, 0, 2);
  response.writeUInt16BE(0x8000 | (message.readUInt16BE(2) & 0x7900) | recursionAvailable | code, 2);
  return response;
}

/** Clients say in an OPT record how large an answer they take. */
function datagramLimit(query: Packet): number {
  const option = query.additionals?.find((record) => record.type === "OPT");
  return option?.type === "OPT" ? Math.max(plainUdpBytes, Math.min(option.udpPayloadSize, 4096)) : plainUdpBytes;
}

function fitted(response: Packet, limit: number): Buffer {
  const whole = encode(response);
  if (whole.length <= limit) return whole;
  return encode({
    ...response,
    flags: (response.flags ?? 0) | truncated,
    answers: [],
    authorities: [],
    additionals: [],
  });
}

const namedAnswer = ({ name, record }: NamedRecord): Answer => toAnswer(name, record);

function toAnswer(name: string, record: RecordData): Answer {
  const head = { name, ttl: ttlSeconds, class: "IN" as const };
  return record.type === "SRV"
    ? { ...head, type: "SRV", data: record.data }
    : { ...head, type: record.type, data: record.data };
}

const startOfAuthority = (domain: string): Answer => ({
  name: domain,
  type: "SOA",
  ttl: ttlSeconds,
  class: "IN",
  data: {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  },
});
