import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAge, formatBytes, formatTable } from "./table.ts";

test("columns are as wide as their widest cell, the last one is not padded", () => {
  assert.equal(
    formatTable(
      ["NAME", "STATE"],
      [
        ["a-long-name", "up"],
        ["b", "down"],
      ],
    ),
    "NAME          STATE\na-long-name   up\nb             down\n",
  );
});

test("bytes and ages in the units a person reads", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 50 * 2 ** 20].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "50 MiB",
  ]);
  assert.deepEqual([0, 119_000, 120_000, 7_200_000, 90_000_000].map(formatAge), ["0s", "119s", "2m", "2h0m", "1d1h"]);
});
