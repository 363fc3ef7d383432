import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { webhookServer } from "../fixtures/webhook-server.ts";
import { WebhookClient } from "../webhooks/webhook-client.ts";
import { AuditWebhook } from "./audit-webhook.ts";

const event = (at: number) => ({ kind: "Event", auditID: String(at) });

/** A server that notes what it is sent. */
function audience() {
  const sent: JsonObject[] = [];
  const state = { away: false };
  const client = {
    async call(_: unknown, { body }: { readonly body: JsonObject }): Promise<JsonObject> {
      if (state.away) throw new Error("away");
      sent.push(body);
      return {};
    },
  };
  const lengths = () => sent.map(({ items }) => (Array.isArray(items) ? items.length : -1));
  const clock = new VirtualClock();
  const server = { url: "https://audit.example.com" };
  return { sent, state, lengths, clock, options: { client, server, clock, logger: silentLogger } };
}

test("events are sent many at a time, what waits at the end too", async () => {
  const { sent, lengths, clock, options } = audience();
  {
    await using webhook = new AuditWebhook(options);
    for (let at = 0; at < 1000; at++) webhook.write(event(at));
    await clock.advance(1000);
    assert.deepEqual(lengths(), [400, 400], "full ones at once");
    await clock.advance(30_000);
    assert.deepEqual(lengths(), [400, 400, 200]);
    webhook.write(event(1000));
    await clock.advance(1000);
  }
  assert.deepEqual(lengths(), [400, 400, 200, 1]);
  const [{ items, ...first } = {}] = sent;
  assert.deepEqual(first, { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {} });
  assert.deepEqual(Array.isArray(items) && items[0], event(0));
});

test("a server that is away is tried again, and memory stays bounded", async () => {
  const { state, lengths, clock, options } = audience();
  await using webhook = new AuditWebhook(options);
  state.away = true;
  for (let at = 0; at < 12_000; at++) webhook.write(event(at));
  assert.equal(webhook.dropped, 2000);
  await clock.advance(5000);
  state.away = false;
  await clock.advance(6000);
  assert.deepEqual(
    lengths(),
    Array.from({ length: 25 }, () => 400),
  );
  state.away = true;
  for (let at = 0; at < 400; at++) webhook.write(event(at));
  await clock.advance(200_000);
  assert.equal(webhook.dropped, 2400, "after five attempts a batch is given up");
});

test("what the server says does not matter, only whether it took the events", async () => {
  let code = 200;
  await using server = await webhookServer(() => ({ code, text: "" }));
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  const { signal } = new AbortController();
  const call = { body: {}, timeoutMs: 30_000, signal, ignoresAnswer: true };
  assert.deepEqual(await client.call(server.config, call), {});
  code = 500;
  await assert.rejects(client.call(server.config, call));
});
