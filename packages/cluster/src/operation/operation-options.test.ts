import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiServerFlags } from "../identity/api-server-flags.ts";
import { operationOptions } from "./operation-options.ts";

test("without options the server is operated as Kubernetes' is", () => {
  assert.deepEqual(operationOptions({}), {
    audit: { maxSize: 100, maxBackup: 0, maxAge: 0, webhookWaitMs: 30_000 },
    maxRequestsInFlight: 600,
    shutdownDelayMs: 0,
    goAwayChance: 0,
  });
});

test("options of operation", () => {
  const flags = {
    "audit-policy-file": ["/p"],
    "audit-log-path": ["/l"],
    "audit-log-maxage": ["7"],
    "goaway-chance": ["0.01"],
    "max-requests-inflight": ["10"],
    "shutdown-delay-duration": ["1m5s"],
  };
  assert.deepEqual(operationOptions(flags), {
    audit: { policyFile: "/p", logPath: "/l", maxSize: 100, maxBackup: 0, maxAge: 7, webhookWaitMs: 30_000 },
    maxRequestsInFlight: 210,
    shutdownDelayMs: 65_000,
    goAwayChance: 0.01,
  });
});

const wrong: readonly ApiServerFlags[] = [
  { "audit-log-maxsize": ["-1"] },
  { "goaway-chance": ["0.5"] },
  { "max-requests-inflight": ["many"] },
  { "shutdown-delay-duration": ["soon"] },
];
for (const flags of wrong) {
  test(`refused: ${JSON.stringify(flags)}`, () => {
    assert.throws(() => operationOptions(flags), { code: "OPTION_INVALID" });
  });
}
