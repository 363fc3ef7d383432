import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Service } from "@skiff/api";
import { ready, service, slice } from "../fixtures/objects.ts";
import { planService } from "./plan.ts";
import { staleConnections } from "./stale-connections.ts";

const dns = (protocol: string): Service =>
  service("dns", { type: "NodePort", clusterIP: "10.96.0.10", ports: [{ port: 53, protocol, nodePort: 30053 }] });
const plan = (protocol: string, ...addresses: readonly string[]) => {
  const ports = [{ name: "", port: 5353, protocol }];
  return planService(
    { service: dns(protocol), slices: [slice("dns", ready(...addresses), { ports })] },
    { nodeName: "node" },
  );
};
const atService = { protocol: "udp", address: "10.96.0.10", port: 53 };
const atNode = { protocol: "udp", address: undefined, port: 30053 };

describe("staleConnections", () => {
  it("are those to endpoints that have gone", () => {
    assert.deepEqual(staleConnections(plan("UDP", "10.42.0.7", "10.42.0.8"), plan("UDP", "10.42.0.8")), [
      { ...atService, endpoint: "10.42.0.7" },
      { ...atNode, endpoint: "10.42.0.7" },
    ]);
  });

  it("are not those to endpoints that only stand in another slot now", () => {
    assert.deepEqual(staleConnections(plan("UDP", "10.42.0.8"), plan("UDP", "10.42.0.7", "10.42.0.8")), []);
  });

  it("are all that began before there were endpoints", () => {
    assert.deepEqual(staleConnections(plan("UDP"), plan("UDP", "10.42.0.7")), [
      { ...atService, endpoint: undefined },
      { ...atNode, endpoint: undefined },
    ]);
  });

  it("are never TCP's", () => {
    assert.deepEqual(staleConnections(plan("TCP", "10.42.0.7"), plan("TCP")), []);
    assert.deepEqual(staleConnections(plan("TCP"), plan("TCP", "10.42.0.7")), []);
  });
});
