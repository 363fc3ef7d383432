import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { noticeOf, SignalShutdownNotices } from "./shutdown-notices.ts";

for (const [line, told] of [
  [
    '{"type":"signal","path":"/org/freedesktop/login1","interface":"org.freedesktop.login1.Manager","member":"PrepareForShutdown","payload":{"type":"b","data":[true]}}',
    true,
  ],
  ['{"member":"PrepareForShutdown","payload":{"type":"b","data":[false]}}', false],
  ['{"member":"NameAcquired","payload":{"type":"s","data":[":1.2"]}}', undefined],
  ["Monitoring bus message stream.", undefined],
] as const)
  it(`understands ${line.slice(0, 40)}`, () => assert.equal(noticeOf(line), told));

it("takes a signal for the word of a shutdown, for as long as it listens", async () => {
  const notices = new SignalShutdownNotices("SIGPWR");
  const stop = new AbortController();
  let told = 0;
  const watching = notices.watch({ delayMs: 0, onNotice: () => told++ }, stop.signal);
  const heard = once(process, "SIGPWR");
  process.kill(process.pid, "SIGPWR");
  await heard;
  assert.equal(told, 1);
  stop.abort();
  await watching;
  assert.equal(process.listenerCount("SIGPWR"), 0);
});
