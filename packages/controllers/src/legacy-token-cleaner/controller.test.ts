import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Pods,
  refusals,
  type Secret,
  Secrets,
  ServiceAccounts,
  type Transport,
  type TransportRequest,
} from "@skiff/api";
import { seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { MemoryInformers } from "@skiff/client/fixtures";
import { runControllers } from "@skiff/control-loop";
import { meta } from "../fixtures/objects.ts";
import { legacyTokenCleaner } from "./controller.ts";

const dayMs = 24 * 60 * 60_000;
const name = "robot-token";
const invalidSince = "kubernetes.io/legacy-token-invalid-since";

const token = (labels: Record<string, string> = {}): Secret => ({
  metadata: {
    ...meta(name),
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels,
    annotations: { "kubernetes.io/service-account.name": "robot" },
  },
  type: "kubernetes.io/service-account-token",
});

/** What the cleaner asks the API for within a day or two. */
async function asked(secret: Secret, since: string | undefined): Promise<readonly string[]> {
  const requests: TransportRequest[] = [];
  const transport: Transport = {
    async send(request) {
      requests.push(request);
      if (request.verb !== "get") return { metadata: { name, resourceVersion: "2" } };
      if (since === undefined) throw refusals.notFound({ group: "", kind: "configmaps", name: request.name ?? "" });
      return { metadata: {}, data: { since } };
    },
    async *watch() {},
  };
  const clock = new VirtualClock(Date.UTC(2030, 5, 1));
  const informers = new MemoryInformers();
  informers.for(Secrets).put(secret);
  informers.for(ServiceAccounts).put({ metadata: meta("robot"), secrets: [{ name }] });
  assert.deepEqual(informers.for(Pods).list(), []);
  const parts = { client: createClient(transport), informers, clock, random: seededRandom(1), logger: silentLogger };
  await using _running = runControllers([legacyTokenCleaner], parts);
  await clock.advance(dayMs + 1000);
  return requests
    .filter(({ verb }) => verb !== "get")
    .map(({ verb, name: subject, body }) => `${verb} ${subject} ${JSON.stringify(body)}`);
}

test("a token that nobody uses is marked, so that it is not good any more", async () => {
  const requests = await asked(token(), "2026-01-01");
  const patch = { metadata: { uid: `uid-${name}`, labels: { [invalidSince]: "2030-06-01" } } };
  assert.deepEqual(requests, [`patch ${name} ${JSON.stringify(patch)}`]);
});

test("a token that was marked a year ago is removed, in the state that was looked at", async () => {
  const [first] = await asked(token({ [invalidSince]: "2029-01-01" }), "2026-01-01");
  assert.match(first ?? "", /^delete robot-token .*"preconditions":\{"resourceVersion":"1"\}/);
});

test("nothing is done while nobody knows which tokens are used", async () => {
  assert.deepEqual(await asked(token(), undefined), []);
  assert.deepEqual(await asked(token(), "soon"), []);
});
