import assert from "node:assert/strict";
import { test } from "node:test";
import { EventCorrelator } from "./correlator.ts";

const keys = (message: string, reason = "Failed") => ({ object: "pod", similar: `pod ${reason}`, message });

test("the same event again is the known one", () => {
  const correlator = new EventCorrelator();
  const first = correlator.judge(keys("m"), 0);
  assert.ok(first.kind === "write");
  assert.equal(first.known, undefined);
  const written = { name: "e", namespace: "d", firstTimestamp: "t", count: 1 };
  correlator.remember(first.key, written);
  const second = correlator.judge(keys("m"), 1000);
  assert.ok(second.kind === "write");
  assert.equal(second.known, written);
  const other = correlator.judge(keys("m", "Other"), 1000);
  assert.ok(other.kind === "write" && other.known === undefined);
});

test("the tenth different message of a reason is combined with those before; ten minutes later it is not", () => {
  const correlator = new EventCorrelator();
  const judged = Array.from({ length: 11 }, (_, at) => correlator.judge(keys(`m${at}`), 0));
  const messages = judged.map((verdict) => (verdict.kind === "write" ? verdict.message : "dropped"));
  assert.equal(messages[8], "m8");
  assert.equal(messages[9], "(combined from similar events): m9");
  assert.equal(messages[10], "(combined from similar events): m10");
  const [ninth, tenth] = judged.slice(9);
  assert.ok(ninth?.kind === "write" && tenth?.kind === "write" && ninth.key === tenth.key);
  const later = correlator.judge(keys("m99"), 600_001);
  assert.ok(later.kind === "write" && later.message === "m99");
});

test("what happens to several containers is similar, but not the same", () => {
  const correlator = new EventCorrelator();
  const judge = (at: number, message: string) => correlator.judge({ ...keys(message), fieldPath: `c${at}` }, 0);
  const same = [judge(1, "m"), judge(2, "m")].map((verdict) => (verdict.kind === "write" ? verdict.key : ""));
  assert.notEqual(same[0], same[1]);
  const last = Array.from({ length: 10 }, (_, at) => judge(at, `m${at}`)).at(-1);
  assert.ok(last?.kind === "write" && last.message.startsWith("(combined from similar events): "));
});

test("an object may have 25 events at once, then one every five minutes", () => {
  const correlator = new EventCorrelator();
  const count = (nowMs: number, tries: number) =>
    Array.from({ length: tries }, () => correlator.judge(keys("m"), nowMs)).filter(({ kind }) => kind === "write")
      .length;
  assert.equal(count(0, 40), 25);
  assert.equal(count(299_000, 5), 0);
  assert.equal(count(301_000, 5), 1);
  assert.equal(correlator.judge({ ...keys("m"), object: "another" }, 301_000).kind, "write");
});
