import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDeviceSelector } from "./device-selector.ts";
import { deviceValue } from "./device-value.ts";

const device = deviceValue({
  driver: "gpu.example.com",
  attributes: {
    model: { string: "A100" },
    "other.example.com/cores": { int: 8 },
    fast: { bool: true },
    driverVersion: { version: "1.2.3" },
  },
  capacity: { memory: { value: "80Gi" } },
});

const table: readonly (readonly [string, boolean | string])[] = [
  ["device.driver == 'gpu.example.com'", true],
  ["device.attributes['gpu.example.com'].model == 'A100'", true],
  ["device.attributes['other.example.com'].cores > 4", true],
  ["device.attributes['gpu.example.com'].fast", true],
  ["device.attributes['gpu.example.com'].driverVersion.isGreaterThan(semver('1.2.0'))", true],
  ["device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) > 0", true],
  ["has(device.attributes['nobody.example.com'].model)", false],
  ["device.attributes['gpu.example.com'].cores == 8", "no such key: cores"],
  ["device.attributes['nobody.example.com'].model == 'A100'", "no such key: model"],
  ["device.allowMultipleAllocations", false],
];
for (const [source, expected] of table) {
  test(`a device: ${source}`, () => {
    const compiled = compileDeviceSelector(source);
    assert.ok(compiled.kind === "program", compiled.kind === "invalid" ? compiled.message : "");
    const said = compiled.program.evaluate({ device });
    assert.equal(said.kind === "value" ? said.value : said.message, expected);
  });
}
