import assert from "node:assert/strict";
import { test } from "node:test";
import { randomInt, seededRandom } from "@skiff/base";
import {
  addQuantities,
  asMillis,
  asUnits,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  subtractQuantities,
} from "./quantity.ts";

test("canonical form", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1000", "1k"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0", "0"],
    ["0Ki", "0"],
    ["1e3", "1e3"],
    ["1e0", "1"],
    ["12E2", "1200"],
    ["100e1", "1e3"],
    ["0.1n", "1n"],
    ["-1500m", "-1500m"],
    ["+3", "3"],
    [".5", "500m"],
    ["5.", "5"],
    ["0.5Ki", "512"],
    ["1.1Ki", "1127"],
    ["10E", "9223372036854775807"],
    ["1023", "1023"],
    ["123456789012345678", "123456789012345678"],
    ["2Ei", "2Ei"],
    ["1u", "1u"],
    ["0.001", "1m"],
    ["1e-3", "1e-3"],
    ["1500Mi", "1500Mi"],
    ["1000Ki", "1000Ki"],
    ["1048576Ki", "1Gi"],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalQuantity(text), expected, text);
});

test("texts that are not quantities", () => {
  for (const text of ["", ".", "abc", "1 ", "--1", "1.2.3", "1Xi", "+", "-", "1,5", "0x10", "1".repeat(300)])
    assert.throws(() => parseQuantity(text), { name: "QuantityError", message: /^quantities must match/ }, text);
  for (const text of ["1K", "1mm", "1Kim", "1e", "1ii"])
    assert.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text);
  assert.equal(canonicalQuantity("1e999999999"), formatQuantity(parseQuantity("1e30")));
});

test("numbers", () => {
  assert.equal(asMillis("250m"), 250);
  assert.equal(asMillis("2"), 2000);
  assert.equal(asMillis("1u"), 1);
  assert.equal(asMillis(undefined), 0);
  assert.equal(asMillis("0.1"), 100);
  assert.equal(asUnits("1Gi"), 1073741824);
  assert.equal(asUnits("1500m"), 2);
  assert.equal(asUnits("128974848"), 128974848);
  assert.equal(asUnits("-1500m"), -1);
});

test("arithmetic keeps the first one's form", () => {
  assert.equal(addQuantities("1Gi", "512Mi"), "1536Mi");
  assert.equal(addQuantities("0", "1Gi"), "1Gi");
  assert.equal(addQuantities("500m", "0.5"), "1");
  assert.equal(subtractQuantities("1", "1500m"), "-500m");
  assert.ok(compareQuantities("1Gi", "1G") > 0);
  assert.equal(compareQuantities("1", "1000m"), 0);
  assert.ok(compareQuantities("1n", "2n") < 0);
});

test("whatever the text, the canonical form is a fixed point of the same amount", () => {
  const random = seededRandom(7);
  const alphabet = "0123456789.+-eEinumkKMGTPx ";
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let length = 1 + randomInt(random, 8); length > 0; length--)
      text += alphabet[randomInt(random, alphabet.length)];
    try {
      const canonical = canonicalQuantity(text);
      assert.equal(canonicalQuantity(canonical), canonical, text);
      if (parseQuantity(text).format !== "binarySI") assert.equal(compareQuantities(canonical, text), 0, text);
      assert.equal(asMillis(text), asMillis(parseQuantity(text)), text);
      assert.equal(asUnits(text), asUnits(parseQuantity(text)), text);
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
    }
  }
});
