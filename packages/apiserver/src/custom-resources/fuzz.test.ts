import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue, randomInt, seededRandom } from "@skiff/base";
import { cronTab, cronTabs, define, definitions, tabs } from "../fixtures/custom-definitions.ts";
import { testSetup } from "../fixtures/test-client.ts";

const values: readonly JsonValue[] = [
  null,
  "",
  "x",
  0,
  -1,
  1.5,
  1e300,
  true,
  [],
  {},
  [null],
  [{}],
  { a: null },
  ["x", 1],
];
const words = [
  "spec",
  "type",
  "properties",
  "items",
  "__proto__",
  "constructor",
  "x-kubernetes-validations",
  "default",
];

/** The value with one member somewhere replaced, removed or added. */
function mutated(original: JsonObject, random: ReturnType<typeof seededRandom>): JsonObject {
  const copy = deepCopy(original);
  const pick = <T>(from: readonly T[]): T | undefined => from[randomInt(random, from.length)];
  const places: JsonObject[] = [];
  const walk = (value: JsonValue | undefined): void => {
    if (Array.isArray(value)) for (const item of value) walk(item);
    else if (isJsonObject(value)) {
      places.push(value);
      for (const member of Object.values(value)) walk(member);
    }
  };
  walk(copy);
  const place = pick(places) ?? copy;
  const key = pick([...Object.keys(place), ...words]) ?? "spec";
  const value = deepCopy(pick(values) ?? null);
  if (randomInt(random, 4) === 0) delete place[key];
  else Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

test("whatever a definition or an object says, the answer is no failure of the server", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const random = seededRandom(11);
  const definition = cronTabs({
    subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
    additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.image" }],
    selectableFields: [{ jsonPath: ".spec.image" }],
  });
  for (const body of [{}, { spec: null }, { spec: {} }, { spec: { versions: [null] } }, { spec: { names: {} } }]) {
    const answer = await call(definitions, { method: "POST", body });
    assert.ok(answer.status < 500, `${JSON.stringify(body)}: ${answer.text}`);
  }
  for (let round = 0; round < 300; round++) {
    const body = mutated(definition, random);
    const answer = await call(`${definitions}?dryRun=All`, { method: "POST", body });
    assert.ok(answer.status < 500, `${JSON.stringify(body)}: ${answer.text}`);
  }
  await define(setup, definition);
  const object = {
    ...cronTab("a", { cronSpec: "* * * * *", ports: [{ port: 1 }], replicas: 2 }),
    status: { replicas: 1 },
  };
  assert.equal((await call(tabs, { method: "POST", body: object })).status, 201);
  const types = ["merge-patch+json", "apply-patch+yaml"];
  for (let round = 0; round < 300; round++) {
    const body = mutated(object, random);
    const type = types[round % 2] ?? "";
    const part = ["", "/status", "/scale"][randomInt(random, 3)] ?? "";
    const query = type.startsWith("apply") ? "?fieldManager=me&force=true&dryRun=All" : "?dryRun=All";
    const headers = { "content-type": `application/${type}` };
    const answer = await call(`${tabs}/a${part}${query}`, { method: "PATCH", body, headers });
    // A configuration that does not fit its schema is refused with 500, in Kubernetes as well.
    const known = /failed to create typed patch object|does not exist/.test(answer.text);
    assert.ok(answer.status < 500 || known, `${part} ${type} ${JSON.stringify(body)}: ${answer.text}`);
  }
  assert.equal((await call(`${tabs}/a`)).status, 200);
});
