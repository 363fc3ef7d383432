import assert from "node:assert/strict";
import { test } from "node:test";
import { testSetup } from "../../fixtures/test-client.ts";

const group = "/apis/resource.k8s.io/v1";
const selector = (expression: string) => ({ selectors: [{ cel: { expression } }] });

const compiling = [
  "device.driver == 'gpu.example.com'",
  "device.attributes['gpu.example.com'].model == 'a100' && device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('10Gi'))",
  "'gpu.example.com' in device.attributes && device.allowMultipleAllocations",
];
const wrong: readonly (readonly [expression: string, says: RegExp])[] = [
  ["device.driver ==", /compilation failed: ERROR: <input>:1:17: Syntax error/],
  ["device.driver == 5", /found no matching overload for '_==_'/],
  ["device.nothing", /undefined field 'nothing'/],
  ["device.driver", /must evaluate to bool/],
];

test("selectors of devices have to compile", async () => {
  await using setup = await testSetup();
  const post = (plural: string, name: string, spec: object) =>
    setup.call(`${group}/${plural}`, { method: "POST", body: { metadata: { name }, spec } });
  for (const [index, expression] of compiling.entries()) {
    const made = await post("deviceclasses", `good-${index}`, selector(expression));
    assert.equal(made.status, 201, made.text);
  }
  for (const [expression, says] of wrong) {
    const refused = await post("deviceclasses", "bad", selector(expression));
    assert.equal(refused.status, 422, refused.text);
    const message = String(refused.json.message);
    assert.ok(message.includes(`spec.selectors[0].cel.expression: Invalid value: "${expression}"`), message);
    assert.match(message, says);
  }
  const exactly = { deviceClassName: "good-0", ...selector("device.driver") };
  const spec = { devices: { requests: [{ name: "r", exactly }] } };
  const claims = "namespaces/default/resourceclaims";
  const claim = await post(claims, "claim", spec);
  assert.match(String(claim.json.message), /spec\.devices\.requests\[0\]\.exactly\.selectors\[0\]\.cel\.expression: /);
  const template = await post("namespaces/default/resourceclaimtemplates", "template", { spec });
  assert.match(String(template.json.message), /spec\.spec\.devices\.requests\[0\]\.exactly\.selectors\[0\]/);
});
