import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emptyElements, type MapKey, type TableElements } from "./elements.ts";
import { type ElementChange, TableContents } from "./table-contents.ts";
import { transactions } from "./transactions.ts";

const holding = (map: MapKey, elements: Readonly<Record<string, string>>): TableElements => {
  const table = emptyElements();
  for (const [key, value] of Object.entries(elements)) table[map].set(key, value);
  return table;
};

describe("transactions", () => {
  it("make what fits into one transaction in one, deleting before adding", () => {
    const changes: readonly ElementChange[] = [
      { map: "services", key: "10.96.0.1 . tcp . 80", before: "goto service_1", after: "goto service_2" },
      { map: "endpoints", key: "10.96.0.1 . tcp . 80 . 1", before: undefined, after: "10.42.0.8 . 8080" },
      { map: "hairpin", key: "10.42.0.9 . 10.42.0.9", before: "", after: undefined },
      { map: "hairpin", key: "10.42.0.8 . 10.42.0.8", before: undefined, after: "" },
    ];
    assert.deepEqual(transactions("t", changes), [
      [
        "delete element ip t services { 10.96.0.1 . tcp . 80 }",
        "add element ip t services { 10.96.0.1 . tcp . 80 : goto service_2 }",
        "add element ip t endpoints { 10.96.0.1 . tcp . 80 . 1 : 10.42.0.8 . 8080 }",
        "delete element ip t hairpin { 10.42.0.9 . 10.42.0.9 }",
        "add element ip t hairpin { 10.42.0.8 . 10.42.0.8 }",
      ].join("\n"),
    ]);
    assert.deepEqual(transactions("t", []), []);
  });

  it("put new targets first, then the switch, then what goes, where it takes several", () => {
    const many = (change: Omit<ElementChange, "key">, name: string): readonly ElementChange[] =>
      Array.from({ length: 300 }, (_, n) => ({ ...change, key: `${name}${n}` }));
    const changes = [
      ...many({ map: "endpoints", before: "x", after: undefined }, "old"),
      ...many({ map: "services", before: "a", after: "b" }, "s"),
      ...many({ map: "endpoints", before: undefined, after: "x" }, "new"),
    ];
    const scripts = transactions("t", changes);
    assert.equal(scripts.length, 3);
    const all = scripts.join("\n");
    assert.ok(all.lastIndexOf("new299 ") < all.indexOf("delete element ip t services"));
    assert.ok(all.lastIndexOf("s299 ") < all.indexOf("{ old0"));
    for (const script of scripts) assert.ok(script.split(", ").length <= 800 && script.split("\n").length <= 4);
  });
});

describe("TableContents", () => {
  const settle = (contents: TableContents) => contents.applied(contents.changes());

  it("says only what differs from what was applied", () => {
    const contents = new TableContents();
    contents.put("a", holding("services", { one: "1", two: "2" }));
    assert.equal(contents.changes().length, 2);
    settle(contents);
    assert.deepEqual(contents.changes(), []);
    contents.put("a", holding("services", { one: "1", two: "3" }));
    assert.deepEqual(contents.changes(), [{ map: "services", key: "two", before: "2", after: "3" }]);
    settle(contents);
    assert.equal(contents.planOf("a")?.services.get("two"), "3");
    contents.put("a", undefined);
    assert.equal(contents.planOf("a"), undefined);
    assert.deepEqual(
      contents.changes().map(({ key, after }) => [key, after]),
      [
        ["one", undefined],
        ["two", undefined],
      ],
    );
  });

  it("keeps an element until the last Service that wants it has gone", () => {
    const contents = new TableContents();
    contents.put("a", holding("hairpin", { pod: "" }));
    contents.put("b", holding("hairpin", { pod: "" }));
    settle(contents);
    contents.put("a", undefined);
    assert.deepEqual(contents.changes(), []);
    contents.put("b", undefined);
    assert.deepEqual(contents.changes(), [{ map: "hairpin", key: "pod", before: "", after: undefined }]);
  });

  it("lets the Service that came first have its way, then the next one", () => {
    const contents = new TableContents();
    contents.put("a", holding("services", { shared: "A" }));
    contents.put("b", holding("services", { shared: "B" }));
    assert.equal(contents.wanted().services.get("shared"), "A");
    settle(contents);
    contents.put("a", undefined);
    assert.deepEqual(contents.changes(), [{ map: "services", key: "shared", before: "A", after: "B" }]);
  });

  it("compares with what was found in the kernel, and takes away what nobody wants", () => {
    const contents = new TableContents();
    contents.put("a", holding("services", { same: "1", missing: "2" }));
    contents.found(holding("services", { same: "1", strange: "3" }));
    assert.deepEqual(
      contents.changes().map(({ key, before, after }) => [key, before, after]),
      [
        ["strange", "3", undefined],
        ["missing", undefined, "2"],
      ],
    );
  });
});
