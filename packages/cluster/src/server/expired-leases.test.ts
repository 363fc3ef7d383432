import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeObject, Leases, refusals, type Transport, type TransportRequest } from "@skiff/api";
import { silentLogger, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { removeExpiredLeases } from "./expired-leases.ts";

const startMs = Date.parse("2026-01-01T12:00:00Z");
const lease = (name: string, spec: object): KubeObject => ({
  metadata: { name, namespace: "kube-system", uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: "" },
  ...{ spec },
});
const renewed = (renewTime: string) => ({ renewTime, leaseDurationSeconds: 3600, holderIdentity: "somebody" });

test("the leases of servers that are gone are removed, hour by hour", async () => {
  const leases = new Map(
    [
      lease("old", renewed("2026-01-01T10:59:59.000000Z")),
      lease("alive", renewed("2026-01-01T11:30:00.000000Z")),
      lease("raced", renewed("2026-01-01T10:00:00.000000Z")),
      lease("mute", {}),
    ].map((item) => [item.metadata.name, item]),
  );
  const asked: TransportRequest[] = [];
  const transport: Transport = {
    async send(request) {
      asked.push(request);
      if (request.verb === "list") return JSON.parse(JSON.stringify({ metadata: {}, items: [...leases.values()] }));
      assert.equal(request.verb, "delete");
      const { name = "" } = request;
      if (name === "raced") throw refusals.conflict({ group: Leases.group, kind: "leases", name }, "changed");
      assert.ok(JSON.stringify(request.body).includes(`{"uid":"uid-${name}","resourceVersion":"1"}`));
      leases.delete(name);
      return { kind: "Status", status: "Success" };
    },
    async *watch() {},
  };
  const clock = new VirtualClock(startMs);
  const stop = new AbortController();
  const running = removeExpiredLeases({ client: createClient(transport), clock, logger: silentLogger }, stop.signal);
  await clock.advance(1000);
  assert.equal(asked[0]?.query?.labelSelector, "apiserver.kubernetes.io/identity=kube-apiserver");
  assert.deepEqual([...leases.keys()], ["alive", "raced"]);
  await clock.advance(60 * 60_000);
  assert.deepEqual([...leases.keys()], ["raced"]);
  stop.abort();
  await running;
});
