import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiV2, type ResourceDefinition, StatusError, servedResources } from "@skiff/api";
import { Catalog } from "../discovery/catalog.ts";
import { fakeExchange } from "../fixtures/fake-exchange.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { alice } from "../fixtures/objects.ts";
import { findRoute } from "../route-paths.ts";
import { gnosticDocument } from "./gnostic-document.ts";
import { openApiRoutes } from "./openapi-routes.ts";

const all = servedResources().filter(({ unpublished }) => unpublished !== true);
let served: readonly ResourceDefinition[] = all;
const table = fakeTable([], all);
const changing = { ...table, version: 1, all: () => table.all().filter(({ resource }) => served.includes(resource)) };
const routes = openApiRoutes(new Catalog(changing), "v1.36.0");

const json = "application/json";
const deprecated = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const gnostic = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

async function ask(headers: Record<string, string>) {
  const { exchange, answered } = fakeExchange({ url: "/openapi/v2", headers });
  const sent: { body: Uint8Array | string } = { body: "" };
  const respond = exchange.respond.bind(exchange);
  exchange.respond = (response) => {
    sent.body = response.body;
    respond(response);
  };
  const route = findRoute(routes, exchange.path) ?? assert.fail("no route");
  await route.handle(exchange, { kind: "path", verb: "get", path: exchange.path }, alice);
  return { ...answered, ...sent };
}

test("the form that the client likes best", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", json],
    ["*/*", json],
    ["application/*", json],
    [json, json],
    [deprecated, gnostic],
    [gnostic, gnostic],
    [`${deprecated},${json}`, gnostic],
    [`${json},${deprecated}`, json],
    [`${json};q=0.5,${deprecated};q=0.9`, gnostic],
    [`${gnostic};q=0.1, */*;q=0.2`, json],
    [`${gnostic};q=0, ${json};q=0.1`, json],
    [`application/xml, ${deprecated};q=0.1`, gnostic],
  ];
  for (const [accept, type] of cases) {
    const answer = await ask({ accept });
    assert.deepEqual([answer.status, answer.contentType, answer.headers.vary], [200, type, "Accept"], accept);
    assert.equal(typeof answer.body, type === json ? "string" : "object", accept);
  }
  for (const accept of ["application/xml", "application/vnd.kubernetes.protobuf"]) {
    await assert.rejects(ask({ accept }), (error) => error instanceof StatusError && error.code === 406);
  }
});

test("protobuf is made once, known by its hash, and made anew when other resources are served", async () => {
  const first = await ask({ accept: deprecated });
  assert.equal((await ask({ accept: gnostic })).body, first.body);
  const { etag = "" } = first.headers;
  assert.match(etag, /^"[0-9A-F]{128}"$/);
  assert.notEqual((await ask({ accept: json })).headers.etag, etag);
  const known = await ask({ accept: gnostic, "if-none-match": etag });
  assert.deepEqual([known.status, known.body], [304, ""]);
  served = all.filter(({ group }) => group === "apps");
  changing.version++;
  const fewer = await ask({ accept: gnostic, "if-none-match": etag });
  assert.equal(fewer.status, 200);
  assert(fewer.body instanceof Uint8Array);
  assert(Buffer.from(fewer.body).equals(gnosticDocument(openApiV2(catalogOrder(), "v1.36.0"))));
  served = all;
  changing.version++;
});

const catalogOrder = (): readonly ResourceDefinition[] =>
  new Catalog(changing).groups().flatMap(({ versions }) => versions.flatMap(({ resources }) => resources));
