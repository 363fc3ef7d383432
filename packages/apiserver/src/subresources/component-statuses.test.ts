import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { testSetup } from "../fixtures/test-client.ts";

const path = "/api/v1/componentstatuses";
const items = ({ items: list }: JsonObject) => (Array.isArray(list) ? list.filter(isJsonObject) : []);
const named = (list: JsonObject) => items(list).map(({ metadata }) => isJsonObject(metadata) && metadata.name);

test("the components of the control plane tell how they are", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const all = await call(path);
  assert.equal(all.status, 200, all.text);
  assert.equal(all.headers.warning, '299 - "v1 ComponentStatus is deprecated in v1.19+"');
  assert.deepEqual(
    [all.json.kind, named(all.json)],
    ["ComponentStatusList", ["controller-manager", "scheduler", "etcd-0"]],
  );
  assert.deepEqual((await call(`${path}/etcd-0`)).json, {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name: "etcd-0" },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  });
  assert.deepEqual(named((await call(`${path}?fieldSelector=metadata.name%3Dscheduler`)).json), ["scheduler"]);
  assert.deepEqual(named((await call(`${path}?labelSelector=a%3Db`)).json), []);
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const { rows } = (await call(path, { headers: { accept } })).json;
  assert.ok(Array.isArray(rows));
  const cells = rows.map((row) => isJsonObject(row) && row.cells);
  assert.deepEqual(cells[0], ["controller-manager", "Healthy", "ok", ""]);
  const missing = await call(`${path}/nobody`);
  assert.deepEqual([missing.status, missing.json.message], [500, "component not found: nobody"]);
  const posted = await call(path, { method: "POST", body: { metadata: { name: "mine" } } });
  assert.equal(posted.status, 405);
});
