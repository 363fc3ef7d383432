import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, deepFreeze, isJsonObject, type JsonObject, type Random, randomInt, seededRandom } from "@skiff/base";
import { definitionSchema } from "../schema/definition-schema.ts";
import { StatusError } from "../status-error.ts";
import { applyConfiguration } from "./apply.ts";
import { isEmptySet, pathsOf } from "./field-set.ts";
import { fieldSetOf } from "./owned-fields.ts";
import { updateManagedFields } from "./update.ts";

const schema = definitionSchema("core.v1.Service");
const base: JsonObject = { apiVersion: "v1", kind: "Service", metadata: { name: "a", namespace: "d" } };

function randomService(random: Random): JsonObject {
  // An object that a writer empties goes, although its configuration says that it is there.
  const spec: JsonObject = { clusterIP: "x" };
  if (randomInt(random, 2) === 0) spec.type = `t${randomInt(random, 3)}`;
  if (randomInt(random, 2) === 0) spec.selector = { app: `s${randomInt(random, 2)}` };
  if (randomInt(random, 3) === 0) spec.externalIPs = [`${randomInt(random, 3)}`];
  if (randomInt(random, 3) === 0) spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: randomInt(random, 3) } };
  if (randomInt(random, 2) === 0) {
    const ports = [80, 81, 82]
      .filter(() => randomInt(random, 2) === 0)
      .map((port) =>
        randomInt(random, 2) === 0 ? { port } : { port, protocol: "TCP", name: `n${randomInt(random, 3)}` },
      );
    if (ports.length > 0) spec.ports = ports;
  }
  const labels: JsonObject = {};
  for (const key of ["a", "b"]) if (randomInt(random, 2) === 0) labels[key] = `${randomInt(random, 2)}`;
  return {
    ...base,
    metadata: { name: "a", namespace: "d", ...(Object.keys(labels).length > 0 ? { labels } : {}) },
    spec,
  };
}

const entriesOf = (object: JsonObject): JsonObject[] => {
  const managed = isJsonObject(object.metadata) ? object.metadata.managedFields : undefined;
  return Array.isArray(managed) ? managed.filter(isJsonObject) : [];
};

/** The paths of all fields and of what holds them. */
const presentIn = (object: JsonObject): Set<string> =>
  new Set(
    pathsOf(fieldSetOf(object, schema)).flatMap((path) => path.map((_, end) => path.slice(0, end + 1).join(" "))),
  );

/** Nobody owns what is not there. Parents may be owned that only hold something. */
function checkOwners(object: JsonObject, what: string): void {
  const present = presentIn(object);
  for (const entry of entriesOf(object)) {
    assert.ok(isJsonObject(entry.fieldsV1) && !isEmptySet(entry.fieldsV1), what);
    for (const path of pathsOf(entry.fieldsV1)) {
      assert.ok(present.has(path.join(" ")), `${what}: ${entry.manager} owns ${path.join(" ")}`);
    }
  }
}

test("in any sequence of writes, owners own what is there and an applied configuration holds", () => {
  const random = seededRandom(21);
  let conflicts = 0;
  for (let round = 0; round < 150; round++) {
    let live: JsonObject = base;
    for (let step = 0; step < 12; step++) {
      const manager = `m${randomInt(random, 3)}`;
      const writer = { manager, apiVersion: "v1", nowMs: step * 1000, schema };
      const config = randomService(random);
      const what = `round ${round}, step ${step}`;
      deepFreeze(live);
      if (randomInt(random, 3) === 0) {
        const next = deepCopy(config);
        updateManagedFields({ ...writer, live: step === 0 ? undefined : live, next });
        live = next;
        checkOwners(live, what);
        continue;
      }
      const force = randomInt(random, 2) === 0;
      try {
        const { object } = applyConfiguration({ ...writer, live, config, force });
        checkOwners(object, what);
        assert.ok(presentIn(config).isSubsetOf(presentIn(object)), what);
        const again = applyConfiguration({ ...writer, live: object, config, force: false, nowMs: 99_000 });
        assert.equal(again.changed, false, what);
        assert.deepEqual(again.object, object, what);
        live = object;
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        assert.equal(error.code, 409, error.message);
        conflicts++;
      }
    }
  }
  assert.ok(conflicts > 20);
});
