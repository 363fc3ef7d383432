import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exampleZone } from "../fixtures/zone.ts";
import { lookUp } from "./zone.ts";

const source = exampleZone();

/** What the zone says, as lines: records, `nothing` for a name without such records, or the kind of answer. */
function said(name: string, type: string): readonly string[] {
  const answer = lookUp(source, { name, type });
  if (answer.kind !== "found") return [answer.kind];
  const lines = answer.records.map((record) => {
    if (record.type === "SRV") return `SRV ${record.data.target}:${record.data.port}`;
    return record.type === "SOA" ? `SOA ${record.data.mname}` : `${record.type} ${record.data}`;
  });
  return lines.length === 0 ? ["nothing"] : lines;
}

const table: readonly (readonly [string, string, readonly string[]])[] = [
  ["web.default.svc.cluster.local", "A", ["A 10.96.0.20"]],
  ["web.default.svc.cluster.local.", "A", ["A 10.96.0.20"]],
  ["WEB.Default.svc.Cluster.LOCAL", "A", ["A 10.96.0.20"]],
  ["web.default.svc.cluster.local", "AAAA", ["nothing"]],
  ["web.default.svc.cluster.local", "MX", ["nothing"]],
  ["nobody.default.svc.cluster.local", "A", ["noSuchName"]],
  ["web.other.svc.cluster.local", "A", ["noSuchName"]],
  ["default.svc.cluster.local", "A", ["nothing"]],
  ["other.svc.cluster.local", "A", ["noSuchName"]],
  ["svc.cluster.local", "A", ["nothing"]],
  ["cluster.local", "A", ["nothing"]],
  ["cluster.local", "SOA", ["SOA ns.dns.cluster.local"]],
  ["cluster.local", "NS", ["NS ns.dns.cluster.local"]],
  ["ns.dns.cluster.local", "A", ["A 10.96.0.10"]],
  ["dns-version.cluster.local", "TXT", ["TXT 1.1.0"]],
  ["something.cluster.local", "A", ["noSuchName"]],
  // Ports of a Service with an address.
  ["_http._tcp.web.default.svc.cluster.local", "SRV", ["SRV web.default.svc.cluster.local:80"]],
  ["_dns._udp.web.default.svc.cluster.local", "SRV", ["SRV web.default.svc.cluster.local:53"]],
  ["_http._udp.web.default.svc.cluster.local", "SRV", ["noSuchName"]],
  ["_none._tcp.web.default.svc.cluster.local", "SRV", ["noSuchName"]],
  ["_http._tcp.web.default.svc.cluster.local", "A", ["nothing"]],
  ["a.b.c.web.default.svc.cluster.local", "A", ["noSuchName"]],
  // Headless Services.
  ["db.default.svc.cluster.local", "A", ["A 10.42.0.7", "A 10.42.0.8"]],
  ["db-0.db.default.svc.cluster.local", "A", ["A 10.42.0.7"]],
  ["10-42-0-8.db.default.svc.cluster.local", "A", ["A 10.42.0.8"]],
  ["10-42-0-7.db.default.svc.cluster.local", "A", ["noSuchName"]],
  ["10-42-0-9.db.default.svc.cluster.local", "A", ["noSuchName"]],
  ["eager.default.svc.cluster.local", "A", ["A 10.42.0.9"]],
  ["empty.default.svc.cluster.local", "A", ["noSuchName"]],
  [
    "_http._tcp.db.default.svc.cluster.local",
    "SRV",
    ["SRV db-0.db.default.svc.cluster.local:8080", "SRV 10-42-0-8.db.default.svc.cluster.local:8080"],
  ],
  // Names for other names.
  ["outside.default.svc.cluster.local", "A", ["CNAME www.example.com"]],
  ["outside.default.svc.cluster.local", "CNAME", ["CNAME www.example.com"]],
  ["x.outside.default.svc.cluster.local", "A", ["noSuchName"]],
  // Pods.
  ["10-42-0-200.default.pod.cluster.local", "A", ["A 10.42.0.200"]],
  ["10-42-0-200.other.pod.cluster.local", "A", ["noSuchName"]],
  ["10-42-0-300.default.pod.cluster.local", "A", ["noSuchName"]],
  ["web.default.pod.cluster.local", "A", ["noSuchName"]],
  ["default.pod.cluster.local", "A", ["nothing"]],
  // Addresses.
  ["20.0.96.10.in-addr.arpa", "PTR", ["PTR web.default.svc.cluster.local"]],
  ["7.0.42.10.in-addr.arpa", "PTR", ["PTR db-0.db.default.svc.cluster.local"]],
  ["8.0.42.10.in-addr.arpa", "PTR", ["PTR 10-42-0-8.db.default.svc.cluster.local"]],
  ["20.0.96.10.in-addr.arpa", "A", ["nothing"]],
  ["1.1.168.192.in-addr.arpa", "PTR", ["notOurs"]],
  // What resolvers make of search paths.
  ["web.default.svc.cluster.local.default.svc.cluster.local", "A", ["noSuchName"]],
  ["web.default.svc.cluster.local.svc.cluster.local", "A", ["noSuchName"]],
  ["web.default.svc.cluster.local.cluster.local", "A", ["noSuchName"]],
  ["www.example.com.default.svc.cluster.local", "A", ["noSuchName"]],
  ["web.default", "A", ["notOurs"]],
  ["www.example.com", "A", ["notOurs"]],
  ["notcluster.local", "A", ["notOurs"]],
];

describe("lookUp", () => {
  for (const [name, type, expected] of table) {
    it(`${name} ${type}: ${expected.join(", ")}`, () => assert.deepEqual(said(name, type), expected));
  }

  it("helps with the addresses of SRV targets", () => {
    const answer = lookUp(source, { name: "_http._tcp.db.default.svc.cluster.local", type: "SRV" });
    assert.ok(answer.kind === "found");
    assert.deepEqual(answer.additional[0], {
      name: "db-0.db.default.svc.cluster.local",
      record: { type: "A", data: "10.42.0.7" },
    });
  });
});
