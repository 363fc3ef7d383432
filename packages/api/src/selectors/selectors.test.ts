import assert from "node:assert/strict";
import { test } from "node:test";
import { randomInt, seededRandom } from "@skiff/base";
import { parseFieldSelector } from "./field-selector.ts";
import { everything, labelSelectorOf, labelsSelector, nothing, parseLabelSelector } from "./label-selector.ts";
import { SelectorError } from "./selector-error.ts";

test("label selectors: text and what they match", () => {
  const cases: readonly (readonly [text: string, canonical: string, yes: object[], no: object[]])[] = [
    ["a=b", "a=b", [{ a: "b" }], [{ a: "c" }, {}]],
    ["c!=d, a = b", "a=b,c!=d", [{ a: "b" }], [{ a: "b", c: "d" }]],
    ["e in (y, x)", "e in (x,y)", [{ e: "x" }], [{}, { e: "z" }]],
    ["e notin (x)", "e notin (x)", [{}, { e: "y" }], [{ e: "x" }]],
    ["!f", "!f", [{}], [{ f: "" }]],
    ["f", "f", [{ f: "" }], [{}]],
    ["a=", "a=", [{ a: "" }], [{}, { a: "b" }]],
    ["n>5", "n>5", [{ n: "6" }], [{ n: "5" }, { n: "x" }, {}]],
    ["n<-1", "n<-1", [{ n: "-2" }], [{ n: "0" }]],
    ["in in (in)", "in in (in)", [{ in: "in" }], [{}]],
    ["example.com/a==b", "example.com/a==b", [{ "example.com/a": "b" }], [{}]],
    ["", "", [{}, { a: "b" }], []],
    ["constructor", "constructor", [], [{}]],
  ];
  for (const [text, canonical, yes, no] of cases) {
    if (text === "n<-1") {
      // A label's value cannot begin with a minus, so neither can the number.
      assert.throws(() => parseLabelSelector(text), SelectorError);
      continue;
    }
    const matcher = parseLabelSelector(text);
    assert.equal(matcher.text, canonical);
    assert.equal(parseLabelSelector(matcher.text).text, canonical);
    for (const labels of yes)
      assert.ok(matcher.matches({ ...labels }), `${text} should match ${JSON.stringify(labels)}`);
    for (const labels of no)
      assert.ok(!matcher.matches({ ...labels }), `${text} should not match ${JSON.stringify(labels)}`);
  }
});

test("label selectors: messages", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["a=b=c", /^found '=', expected: ',' or 'end of string'$/],
    ["a,", /^found '', expected: identifier after ','$/],
    [",a", /^found ',', expected: !, identifier, or 'end of string'$/],
    ["a in x", /^unable to parse requirement: found 'x' expected: '\('$/],
    ["a in (x", /^unable to parse requirement: found '', expected: ',' or '\)'$/],
    ["a b", /^unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt$/],
    ["a=b!", /^found '!', expected: ',' or 'end of string'$/],
    [
      "a>x",
      /^unable to parse requirement: values\[0\]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer$/,
    ],
    ["-a=b", /^unable to parse requirement: key: Invalid value: "-a": /],
    ["a=-b", /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": /],
  ];
  for (const [text, message] of cases)
    assert.throws(() => parseLabelSelector(text), { name: "SelectorError", message }, text);
});

test("label selector objects", () => {
  assert.equal(labelSelectorOf(undefined), nothing);
  assert.equal(labelSelectorOf({}), everything);
  const matcher = labelSelectorOf({
    matchLabels: { a: "b" },
    matchExpressions: [
      { key: "c", operator: "In", values: ["y", "x"] },
      { key: "d", operator: "DoesNotExist" },
    ],
  });
  assert.equal(matcher.text, "a=b,c in (x,y),!d");
  assert.ok(matcher.matches({ a: "b", c: "x" }));
  assert.ok(!matcher.matches({ a: "b", c: "x", d: "" }));
  assert.throws(
    () => labelSelectorOf({ matchExpressions: [{ key: "c", operator: "Near" }] }),
    /"Near" is not a valid label selector/,
  );
  assert.throws(
    () => labelSelectorOf({ matchExpressions: [{ key: "c", operator: "In" }] }),
    /values set can't be empty/,
  );
  assert.ok(labelsSelector({ a: "b" }).matches({ a: "b", c: "d" }));
});

test("field selectors", () => {
  const fields: Readonly<Record<string, string>> = { "metadata.name": "a,b=c\\", "status.phase": "Running" };
  const read = (field: string) => fields[field] ?? "";
  const cases: readonly (readonly [string, boolean])[] = [
    ["", true],
    ["status.phase=Running", true],
    ["status.phase==Running", true],
    ["status.phase!=Running", false],
    ["metadata.name=a\\,b\\=c\\\\", true],
    ["spec.nodeName=", true],
    ["spec.nodeName!=,status.phase=Running", false],
  ];
  for (const [text, expected] of cases) {
    const matcher = parseFieldSelector(text);
    assert.equal(matcher.matches(read), expected, text);
    assert.equal(parseFieldSelector(matcher.text).text, matcher.text);
  }
  assert.throws(() => parseFieldSelector("abc"), { message: "invalid selector: 'abc'; can't understand 'abc'" });
  assert.throws(() => parseFieldSelector("a=b\\x"), {
    message: "invalid field selector: invalid escape sequence: \\x",
  });
  assert.throws(() => parseFieldSelector("a=b=c"), {
    message: "invalid field selector: unescaped character in value: =",
  });
});

test("no text crashes a parser", () => {
  const random = seededRandom(11);
  const alphabet = "ab!=(),<> in\\.\t\u00e9";
  for (let round = 0; round < 5000; round++) {
    let text = "";
    for (let length = randomInt(random, 12); length > 0; length--) text += alphabet[randomInt(random, alphabet.length)];
    for (const parse of [parseLabelSelector, parseFieldSelector]) {
      try {
        const { text: canonical } = parse(text);
        assert.equal(parse(canonical).text, canonical, text);
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error;
      }
    }
  }
});
