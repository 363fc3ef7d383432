import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "@skiff/base";
import { decode, encode, type RecordType } from "dns-packet";
import { exampleZone } from "../fixtures/zone.ts";
import { answerQuery } from "./answer.ts";

const source = exampleZone();
const cluster = "default.svc.cluster.local";

interface Asked {
  readonly transport?: "udp" | "tcp";
  /** As an EDNS client says it. */
  readonly udpPayloadSize?: number;
}

function query(name: string, type: RecordType, { udpPayloadSize }: Asked = {}): Buffer {
  const option = {
    type: "OPT",
    name: ".",
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
  } as const;
  return encode({
    type: "query",
    id: 4711,
    flags: 0x100,
    questions: [{ type, name, class: "IN" }],
    ...(udpPayloadSize === undefined ? {} : { additionals: [{ ...option, udpPayloadSize, options: [] }] }),
  });
}

function ask(name: string, type: RecordType, asked: Asked = {}) {
  const reply = answerQuery(query(name, type, asked), source, asked.transport ?? "udp");
  assert.ok(reply.kind === "answer", `it is ${reply.kind}`);
  const { message } = reply;
  const packet = decode(message);
  return { message, packet, code: message.readUInt16BE(2) & 15, truncated: (message.readUInt16BE(2) & 0x200) !== 0 };
}

const data = (packet: ReturnType<typeof decode>) =>
  packet.answers?.map((answer) => ("data" in answer ? answer.data : undefined));

describe("answerQuery", () => {
  it("answers with the query's number, flags and case", () => {
    const { packet, message } = ask(`WeB.${cluster}`, "A");
    assert.equal(packet.id, 4711);
    assert.equal(message.readUInt16BE(2), 0x8580);
    assert.equal(packet.questions?.[0]?.name, `WeB.${cluster}`);
    assert.deepEqual(packet.answers, [
      { name: `WeB.${cluster}`, type: "A", ttl: 5, class: "IN", flush: false, data: "10.96.0.20" },
    ]);
  });

  it("says which zone has no such name, or no such record", () => {
    for (const [name, type, code] of [
      [`nobody.${cluster}`, "A", 3],
      [`web.${cluster}`, "AAAA", 0],
    ] as const) {
      const { packet, code: found } = ask(name, type);
      assert.equal(found, code);
      assert.deepEqual(packet.answers, []);
      assert.equal(packet.authorities?.[0]?.type, "SOA");
      assert.equal(packet.authorities?.[0]?.name, "cluster.local");
    }
  });

  it("writes SRV, PTR and TXT records that others read", () => {
    const srv = ask(`_http._tcp.db.${cluster}`, "SRV").packet;
    assert.deepEqual(data(srv), [
      { priority: 0, weight: 100, port: 8080, target: `db-0.db.${cluster}` },
      { priority: 0, weight: 100, port: 8080, target: `10-42-0-8.db.${cluster}` },
    ]);
    assert.deepEqual(
      srv.additionals?.map((one) => one.name),
      [`db-0.db.${cluster}`, `10-42-0-8.db.${cluster}`],
    );
    assert.deepEqual(data(ask("20.0.96.10.in-addr.arpa", "PTR").packet), [`web.${cluster}`]);
    assert.deepEqual(data(ask("dns-version.cluster.local", "TXT").packet), [[Buffer.from("1.1.0")]]);
    assert.deepEqual(data(ask("cluster.local", "NS").packet), ["ns.dns.cluster.local"]);
  });

  it("gives what fits into 512 bytes, and says that there is more", () => {
    const { packet, message, truncated } = ask(`many.${cluster}`, "A");
    assert.ok(message.length <= 512);
    assert.equal(truncated, true);
    assert.ok((packet.answers?.length ?? 0) >= 28, `${packet.answers?.length} answers`);
  });

  it("gives as much as the client takes, or all over a connection", () => {
    const large = ask(`many.${cluster}`, "A", { udpPayloadSize: 1232 });
    assert.ok(large.message.length <= 1232 && large.message.length > 1100);
    assert.equal(large.truncated, true);
    assert.equal(large.packet.additionals?.[0]?.type, "OPT");
    const whole = ask(`many.${cluster}`, "A", { transport: "tcp" });
    assert.equal(whole.truncated, false);
    assert.equal(whole.packet.answers?.length, 200);
    assert.equal(whole.packet.additionals?.length, 0);
  });

  it("follows a name for another name inside the cluster", () => {
    assert.deepEqual(data(ask(`inside.${cluster}`, "A").packet), [`db.${cluster}`, "10.42.0.7", "10.42.0.8"]);
    assert.deepEqual(data(ask(`inside.${cluster}`, "CNAME").packet), [`db.${cluster}`]);
    assert.deepEqual(data(ask(`dangling.${cluster}`, "A").packet), [`nobody.${cluster}`]);
    assert.ok((ask(`loop.${cluster}`, "A").packet.answers?.length ?? 99) <= 10);
  });

  it("has a name outside the cluster looked up, and adds what it is told", () => {
    const reply = answerQuery(query(`outside.${cluster}`, "A"), source, "udp");
    assert.ok(reply.kind === "chase");
    const asked = decode(reply.query);
    assert.deepEqual(asked.questions, [{ name: "www.example.com", type: "A", class: "IN" }]);
    const theirs = encode({
      type: "response",
      id: 4711,
      questions: asked.questions ?? [],
      answers: [
        { name: "www.example.com", type: "CNAME", ttl: 60, class: "IN", data: "cdn.example.com" },
        { name: "cdn.example.com", type: "A", ttl: 30, class: "IN", data: "192.0.2.80" },
      ],
    });
    assert.deepEqual(data(decode(reply.finish(theirs))), ["www.example.com", "cdn.example.com", "192.0.2.80"]);
    for (const nothing of [undefined, Buffer.from("what?"), Buffer.alloc(0)]) {
      assert.deepEqual(data(decode(reply.finish(nothing))), ["www.example.com"]);
    }
  });

  it("forwards what is not the cluster's", () => {
    assert.equal(answerQuery(query("www.example.com", "A"), source, "udp").kind, "forward");
  });

  const codeOf = (message: Buffer): number | string => {
    const reply = answerQuery(message, source, "udp");
    return reply.kind === "answer" ? reply.message.readUInt16BE(2) & 15 : reply.kind;
  };
  const changed = (change: (message: Buffer) => void): Buffer => {
    const message = Buffer.from(query(`web.${cluster}`, "A"));
    change(message);
    return message;
  };
  const bad: readonly (readonly [string, Buffer, number | string])[] = [
    ["nothing", Buffer.alloc(0), "drop"],
    ["half a header", Buffer.alloc(11), "drop"],
    ["a response", changed((message) => message.writeUInt16BE(0x8180, 2)), "drop"],
    ["a header alone", Buffer.alloc(12), 1],
    ["another operation", changed((message) => message.writeUInt16BE(0x2800, 2)), 4],
    ["two questions", changed((message) => message.writeUInt16BE(2, 4)), 1],
    ["a name that points to itself", changed((message) => message.writeUInt16BE(0xc00c, 12)), 1],
    ["a question cut short", query(`web.${cluster}`, "A").subarray(0, 20), 1],
    ["records that are not there", changed((message) => message.writeUInt16BE(9, 6)), 1],
  ];
  for (const [what, message, expected] of bad) {
    it(`answers ${what} with ${expected}`, () => assert.equal(codeOf(message), expected));
  }

  it("survives whatever it is sent", () => {
    const random = seededRandom(1);
    const byte = () => Math.floor(random.next() * 256);
    const valid = query(`_http._tcp.db.${cluster}`, "SRV", { udpPayloadSize: 1232 });
    for (let round = 0; round < 20_000; round++) {
      const message = round % 2 === 0 ? Buffer.from(valid) : Buffer.from(Array.from({ length: byte() }, byte));
      for (let count = byte() % 6; count > 0 && message.length > 0; count--) message[byte() % message.length] = byte();
      if (message.length >= 4 && round % 3 === 0) message[2] = 1;
      const reply = answerQuery(message.subarray(0, round % 5 === 0 ? byte() : undefined), source, "udp");
      if (reply.kind === "answer") assert.ok(reply.message.length >= 12 && reply.message.length <= 4096);
    }
  });
});
