import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { WebhookAuthorizer } from "../authorization/webhook-authorizer.ts";
import { jsonServer } from "../fixtures/json-server.ts";
import { WebhookClient } from "../webhooks/webhook-client.ts";
import { webhookTokens } from "./webhook-tokens.ts";

const client = () =>
  new WebhookClient({ clock: systemClock, services: { locate: () => Promise.reject(new Error("no Service")) } });

test("another server knows bearer tokens; its answers are remembered for a while", async () => {
  await using server = await jsonServer((_path, { spec }) => {
    const text = JSON.stringify(spec);
    if (text.includes("broken")) return undefined;
    const good = { authenticated: true, user: { username: "alice", uid: "7", groups: ["dev"], extra: { a: ["b"] } } };
    return { status: text.includes("good") ? good : { authenticated: false, error: "who is that?" } };
  });
  using calling = client();
  const clock = new VirtualClock();
  const { ca } = server;
  const tokens = webhookTokens({
    client: calling,
    server: { url: `${server.url}/review`, ca, token: "mine" },
    audiences: ["api"],
    cacheTtlMs: 120_000,
    clock,
    logger: silentLogger,
  });
  const user = { name: "alice", uid: "7", groups: ["dev"], extra: { a: ["b"] } };
  assert.deepEqual(await tokens.look("good", ["api"]), { kind: "user", user, audiences: ["api"] });
  assert.deepEqual(server.calls[0], {
    path: "/review",
    authorization: "Bearer mine",
    body: {
      kind: "TokenReview",
      apiVersion: "authentication.k8s.io/v1",
      metadata: {},
      spec: { token: "good", audiences: ["api"] },
    },
  });
  assert.deepEqual(await tokens.look("bad", ["api"]), { kind: "refused", why: "who is that?" });
  await tokens.look("good", ["api"]);
  await tokens.look("bad", ["api"]);
  assert.equal(server.calls.length, 2, "remembered");
  await clock.advance(120_000);
  await tokens.look("good", ["api"]);
  assert.equal(server.calls.length, 3);
  assert.equal((await tokens.look("good", ["vault"])).kind, "unknown", "it speaks for the API server's audiences");
  assert.equal((await tokens.look("broken", ["api"])).kind, "refused");
  await tokens.look("broken", ["api"]);
  assert.equal(server.calls.length, 6, "failures are not remembered");
});

test("another server decides; consent is remembered longer than refusals", async () => {
  await using server = await jsonServer((_path, { spec }) => {
    const text = JSON.stringify(spec);
    if (text.includes("broken")) return undefined;
    if (text.includes("never")) return { status: { allowed: false, denied: true, reason: "not you" } };
    return { status: text.includes("pods") ? { allowed: true, reason: "ok" } : { allowed: false } };
  });
  using calling = client();
  const clock = new VirtualClock();
  const authorizer = (failurePolicy: "NoOpinion" | "Deny") =>
    new WebhookAuthorizer({
      client: calling,
      server: { url: server.url, ca: server.ca },
      timeoutMs: 30_000,
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 30_000,
      failurePolicy,
      clock,
      logger: silentLogger,
    });
  const webhook = authorizer("NoOpinion");
  const user = { name: "alice", groups: ["dev"] };
  const list = (plural: string) =>
    ({
      kind: "resource",
      verb: "list",
      group: "",
      version: "v1",
      plural,
      namespace: "default",
      fieldSelector: "spec.nodeName=n1",
      labelSelector: "a in (b,c),!d",
    }) as const;
  assert.deepEqual(await webhook.authorize({ user, request: list("pods") }), { kind: "allowed", reason: "ok" });
  assert.deepEqual(server.calls[0]?.body.spec, {
    user: "alice",
    groups: ["dev"],
    resourceAttributes: {
      namespace: "default",
      verb: "list",
      version: "v1",
      resource: "pods",
      fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: ["n1"] }] },
      labelSelector: {
        requirements: [
          { key: "a", operator: "In", values: ["b", "c"] },
          { key: "d", operator: "DoesNotExist" },
        ],
      },
    },
  });
  const path = (name: string) => ({ kind: "path", verb: "get", path: name }) as const;
  assert.deepEqual(await webhook.authorize({ user, request: path("/x") }), { kind: "noOpinion", reason: "" });
  assert.deepEqual(server.calls[1]?.body.spec, {
    user: "alice",
    groups: ["dev"],
    nonResourceAttributes: { path: "/x", verb: "get" },
  });
  assert.deepEqual(await webhook.authorize({ user, request: path("/never") }), { kind: "denied", reason: "not you" });
  await clock.advance(30_000);
  await webhook.authorize({ user, request: list("pods") });
  assert.equal(server.calls.length, 3);
  await webhook.authorize({ user, request: path("/x") });
  assert.equal(server.calls.length, 4);
  assert.deepEqual(await webhook.authorize({ user, request: path("/broken") }), { kind: "noOpinion", reason: "" });
  assert.deepEqual(await authorizer("Deny").authorize({ user, request: path("/broken") }), {
    kind: "denied",
    reason: "",
  });
});
