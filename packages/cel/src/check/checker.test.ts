import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../compile.ts";
import { types } from "../types/cel-type.ts";

const person = types.object("Person", { name: types.string, age: types.int, tags: types.list(types.string) });

const variables = {
  person,
  n: types.int,
  s: types.string,
  any: types.dyn,
  labels: types.map(types.string, types.string),
  "dotted.name": types.bool,
};

const messageOf = (source: string): string => {
  const compiled = compile(source, { variables });
  return compiled.kind === "failed" ? compiled.message : `type: ${JSON.stringify(compiled.program.type.kind)}`;
};

/** Where the mark stands is part of the text: it is what people see. */
const wrong: readonly [string, string][] = [
  ["missing", "ERROR: <input>:1:1: undeclared reference to 'missing' (in container '')\n | missing\n | ^"],
  ["missing(1)", "ERROR: <input>:1:8: undeclared reference to 'missing' (in container '')\n | missing(1)\n | .......^"],
  [
    "s.missing()",
    "ERROR: <input>:1:10: undeclared reference to 'missing' (in container '')\n | s.missing()\n | .........^",
  ],
  ["person.height > 1", "ERROR: <input>:1:7: undefined field 'height'\n | person.height > 1\n | ......^"],
  ["has(person.height)", "ERROR: <input>:1:4: undefined field 'height'\n | has(person.height)\n | ...^"],
  ["n.x", "ERROR: <input>:1:2: type 'int' does not support field selection\n | n.x\n | .^"],
  ["n == s", "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | n == s\n | ..^"],
  [
    "s.startsWith(n)",
    "ERROR: <input>:1:13: found no matching overload for 'startsWith' applied to 'string.(int)'\n | s.startsWith(n)\n | ............^",
  ],
  [
    "n.all(x, x)",
    "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | n.all(x, x)\n | ^",
  ],
  ["[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"],
  [
    "person.tags.all(t, t > 1)",
    "ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(string, int)'\n | person.tags.all(t, t > 1)\n | .....................^",
  ],
  [
    "a +\nb",
    "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a +\n | ^\nERROR: <input>:2:1: undeclared reference to 'b' (in container '')\n | b\n | ^",
  ],
  ["has(n)", "ERROR: <input>:1:5: invalid argument to has() macro\n | has(n)\n | ....^"],
  ["for + 1", "ERROR: <input>:1:1: reserved identifier: for\n | for + 1\n | ^"],
  [
    "1 + $",
    "ERROR: <input>:1:5: Syntax error: token recognition error at: '$'\n | 1 + $\n | ....^\nERROR: <input>:1:6: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 + $\n | .....^",
  ],
  ["duration('1 hour')", "ERROR: <input>:1:10: invalid duration argument\n | duration('1 hour')\n | .........^"],
  ["s.matches('(')", "ERROR: <input>:1:11: invalid matches argument\n | s.matches('(')\n | ..........^"],
  ["n n n", "ERROR: <input>:1:3: Syntax error: mismatched input 'n' expecting <EOF>\n | n n n\n | ..^"],
  ["n n", "ERROR: <input>:1:3: Syntax error: extraneous input 'n' expecting <EOF>\n | n n\n | ..^"],
];

test("what is wrong with an expression, and where", () => {
  for (const [source, message] of wrong) assert.equal(messageOf(source), message, source);
});

test("what an expression gives", () => {
  const kinds: readonly [string, string][] = [
    ["n + 1", "int"],
    ["person.name + s", "string"],
    ["any.x.y", "dyn"],
    ["any > 1", "bool"],
    ["person.tags.map(t, size(t))", "list"],
    ["labels.?a", "optional"],
    ["labels.?a.orValue('b')", "string"],
    ["dotted.name", "bool"],
    ["type(n)", "type"],
    ["timestamp('2024-01-01T00:00:00Z') - timestamp('2024-01-01T00:00:00Z')", "duration"],
  ];
  for (const [source, kind] of kinds) assert.equal(messageOf(source), `type: "${kind}"`, source);
});

test("an expression must give what it is for", () => {
  const of = (source: string, ...resultTypes: (typeof types.bool)[]) => {
    const compiled = compile(source, { variables, resultTypes });
    return compiled.kind === "failed" ? compiled.message : "";
  };
  assert.equal(of("n", types.bool), "must evaluate to bool");
  assert.equal(of("any.x", types.bool), "must evaluate to bool");
  assert.equal(of("n", types.string, types.null), "must evaluate to one of [string null_type]");
  assert.equal(of("any.x == 1", types.bool), "");
});

test("the checker finds the types that the specification's own checker finds", async () => {
  const { tests } = await import("@bufbuild/cel-spec/testdata/checking.js");
  let checked = 0;
  for (const { original, type } of tests.tests ?? []) {
    const compiled = compile(original.expr, { variables: {}, mixedLiterals: true });
    if (compiled.kind === "failed" || type === undefined) continue;
    checked++;
    const { kind } = compiled.program.type;
    assert(
      type.startsWith(kind === "null" ? "null" : kind === "map" || kind === "list" ? kind : ""),
      `${original.expr}: ${type}`,
    );
  }
  assert(checked > 30, `${checked} were checked`);
});
