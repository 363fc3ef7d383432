import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterMeta } from "../fixtures/objects.ts";
import { type AggregatedService, aggregatedService } from "./aggregated-service.ts";
import { emptyAggregated } from "./empty-namespace.ts";

const spec = {
  group: "wardle.example.com",
  version: "v1",
  groupPriorityMinimum: 1,
  versionPriority: 1,
  service: { namespace: "default", name: "wardle", port: 443 },
};
const made = aggregatedService({ metadata: clusterMeta("v1.wardle.example.com"), spec, status: {} });
assert.ok(made !== undefined);
const service: AggregatedService = made;
const root = "/apis/wardle.example.com/v1";
const { signal } = new AbortController();

/** A server with three resources, one of which only deletes object by object, and one object that is held. */
function server() {
  const held = { metadata: { name: "held", finalizers: ["example.com/x"] } };
  const all = new Map<string, { metadata: { name: string; finalizers?: string[] } }[]>([
    ["flunders", [{ metadata: { name: "a" } }, held]],
    ["fischers", [{ metadata: { name: "b" } }, { metadata: { name: "c" } }]],
  ]);
  const verbs = ["delete", "get", "list"];
  const resources = [
    { name: "flunders", namespaced: true, verbs: [...verbs, "deletecollection"] },
    { name: "flunders/status", namespaced: true, verbs },
    { name: "fischers", namespaced: true, verbs },
    { name: "metrics", namespaced: true, verbs: ["get", "list"] },
    { name: "seas", namespaced: false, verbs },
  ];
  const calls: string[] = [];
  return {
    calls,
    async get(_: AggregatedService, path: string, { method = "GET" }: { readonly method?: "GET" | "DELETE" }) {
      calls.push(`${method} ${path.slice(root.length)}`);
      const answer = (json: object) => ({ status: 200, contentType: "", etag: undefined, body: JSON.stringify(json) });
      if (path === root) return answer({ resources });
      const [, , , plural = "", name] = path.slice(root.length).split("/");
      const items = all.get(plural) ?? [];
      const stays = (item: (typeof items)[number]) => item.metadata.finalizers !== undefined;
      const goes = (item: (typeof items)[number]) =>
        (name === undefined || item.metadata.name === name) && !stays(item);
      if (method === "DELETE")
        all.set(
          plural,
          items.filter((item) => !goes(item)),
        );
      return answer({ items });
    },
  };
}

test("objects of an aggregated server go with their namespace, held ones stay", async () => {
  const asking = server();
  const remains = await emptyAggregated(asking, service, { namespace: "shop", signal });
  assert.deepEqual(remains, [
    {
      resource: { group: "wardle.example.com", plural: "flunders" },
      objects: [{ metadata: { finalizers: ["example.com/x"] } }],
    },
  ]);
  assert.deepEqual(asking.calls, [
    "GET ",
    "GET /namespaces/shop/flunders",
    "DELETE /namespaces/shop/flunders",
    "GET /namespaces/shop/flunders",
    "GET /namespaces/shop/fischers",
    "DELETE /namespaces/shop/fischers/b",
    "DELETE /namespaces/shop/fischers/c",
    "GET /namespaces/shop/fischers",
  ]);
});

test("a server that refuses is a failure", async () => {
  const asking = { get: async () => ({ status: 500, contentType: "", etag: undefined, body: "" }) };
  const emptying = emptyAggregated(asking, service, { namespace: "shop", signal });
  await assert.rejects(emptying, new Error(`GET ${root}: status 500`));
});
