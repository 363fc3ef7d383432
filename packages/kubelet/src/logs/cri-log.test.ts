import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lineTimeMs, parseLogLine, shownTime } from "./cri-log.ts";

const parse = (text: string) => parseLogLine(Buffer.from(text));

describe("times of log lines", () => {
  const second = Date.parse("2026-01-02T03:04:05Z");
  const table: readonly (readonly [written: string, shown: string, ms: number])[] = [
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z", second],
    ["2026-01-02T03:04:05.9Z", "2026-01-02T03:04:05.900000000Z", second + 900],
    ["2026-01-02T03:04:05.98Z", "2026-01-02T03:04:05.980000000Z", second + 980],
    ["2026-01-02T03:04:05.987Z", "2026-01-02T03:04:05.987000000Z", second + 987],
    ["2026-01-02T03:04:05.9876Z", "2026-01-02T03:04:05.987600000Z", second + 987],
    ["2026-01-02T03:04:05.98765Z", "2026-01-02T03:04:05.987650000Z", second + 987],
    ["2026-01-02T03:04:05.987654Z", "2026-01-02T03:04:05.987654000Z", second + 987],
    ["2026-01-02T03:04:05.9876543Z", "2026-01-02T03:04:05.987654300Z", second + 987],
    ["2026-01-02T03:04:05.98765432Z", "2026-01-02T03:04:05.987654320Z", second + 987],
    ["2026-01-02T03:04:05.987654321Z", "2026-01-02T03:04:05.987654321Z", second + 987],
    ["2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05.999999999Z", second + 999],
    ["2026-01-02T03:04:05.0000000019Z", "2026-01-02T03:04:05.000000001Z", second],
    ["2026-01-02T05:04:05.5+02:00", "2026-01-02T05:04:05.500000000+02:00", second + 500],
    ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000000000Z", second],
  ];
  for (const [written, shown, ms] of table) {
    it(written, () => {
      const line = parse(`${written} stdout F text`);
      assert.ok(line !== undefined);
      assert.equal(shownTime(line), shown);
      assert.equal(lineTimeMs(line), ms);
    });
  }

  for (const text of ["yesterday stdout F text", "2026-01-02 stdout F text", "2026-01-02T03:04:05.Z stdout F text"])
    it(`no line of a log: ${text}`, () => assert.equal(parse(text), undefined));
});
