import assert from "node:assert/strict";
import { test } from "node:test";
import { refusals, type Transport } from "@skiff/api";
import { silentLogger, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { TokenTracking } from "./token-tracking.ts";

const use = (name: string) => ({ namespace: "default", name, uid: `uid-${name}`, day: "2026-01-01" });

/** What is written for two uses, where `since` says this, if anything. */
async function written(since: string | undefined): Promise<readonly string[]> {
  const requests: string[] = [];
  let failures = 1;
  const transport: Transport = {
    async send({ verb, plural, name = "", body }) {
      if (verb === "get") return { metadata: {}, data: { since: since ?? "" } };
      if (verb === "create" && since !== undefined) {
        throw refusals.alreadyExists({ group: "", kind: plural, name: "x" });
      }
      if (name === "b" && failures-- > 0) throw refusals.unavailable("later");
      requests.push(`${verb} ${plural} ${JSON.stringify(body)}`);
      return { metadata: { resourceVersion: "1" } };
    },
    async *watch() {},
  };
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const stop = new AbortController();
  const tracking = new TokenTracking();
  const running = tracking.run({ client: createClient(transport), clock, logger: silentLogger }, stop.signal);
  for (const name of ["a", "b", "a"]) tracking.note(use(name));
  await clock.advance(60_000);
  stop.abort();
  await running;
  return requests.map((text) => text.replace(/"(?:kind|apiVersion)":"[^"]*",?/g, ""));
}

const label = (name: string) =>
  `patch secrets {"metadata":{"uid":"uid-${name}","labels":{"kubernetes.io/legacy-token-last-used":"2026-01-01"}}}`;
const data = '"data":{"since":"2026-01-01"}';

test("uses of tokens are noted down, each once, and since when", async () => {
  const [first, ...others] = await written(undefined);
  assert.ok(first?.startsWith("create configmaps") && first.includes(data), first);
  assert.deepEqual(
    others.filter((text) => text.startsWith("patch")),
    [label("a"), label("b")],
  );
});

test("since when uses are noted down stays, unless it is no day", async () => {
  assert.deepEqual(await written("2020-02-02"), [label("a"), label("b")]);
  assert.deepEqual((await written("soon"))[0], `patch configmaps {${data}}`);
});
