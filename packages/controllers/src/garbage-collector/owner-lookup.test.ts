import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, refusals } from "@skiff/api";
import { createClient } from "@skiff/client";
import { meta } from "../fixtures/objects.ts";
import { OwnerGraph } from "./owner-graph.ts";
import { OwnerLookup } from "./owner-lookup.ts";

const { signal } = new AbortController();

test("an owner that the caches saw go is not asked for; one that they never knew is, and so is one that went long ago", async () => {
  const asked: string[] = [];
  const client = createClient({
    send: async ({ name = "" }) => {
      asked.push(name);
      throw refusals.notFound({ group: "", kind: "configmaps", name });
    },
    async *watch() {},
  });
  const resources = {
    all: () => [ConfigMaps],
    whenKnown: async () => {},
    onChange: () => ({ [Symbol.dispose]: () => {} }),
  };
  const lookup = new OwnerLookup({ client, recorder: { record: () => {} } }, resources, new OwnerGraph());
  const dependent = { resource: ConfigMaps, object: { metadata: meta("dependent") } };
  const stateOf = (uid: string) =>
    lookup.stateOf({ apiVersion: "v1", kind: "ConfigMap", name: `named-${uid}`, uid }, dependent, signal);
  lookup.wentAway("a");
  assert.equal(await stateOf("a"), "absent");
  assert.equal(await stateOf("b"), "absent");
  assert.deepEqual(asked, ["named-b"]);
  for (let at = 0; at < 500; at++) lookup.wentAway(`other-${at}`);
  assert.equal(await stateOf("a"), "absent");
  assert.deepEqual(asked, ["named-b", "named-a"]);
});
