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
    runtimeConfig: {},
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
    "runtime-config": ["certificates.k8s.io/v1beta1=true,api/alpha", "apps/v1=false"],
  };
  assert.deepEqual(operationOptions(flags), {
    audit: { policyFile: "/p", logPath: "/l", maxSize: 100, maxBackup: 0, maxAge: 7, webhookWaitMs: 30_000 },
    maxRequestsInFlight: 210,
    shutdownDelayMs: 65_000,
    goAwayChance: 0.01,
    runtimeConfig: { "certificates.k8s.io/v1beta1": true, "api/alpha": true, "apps/v1": false },
  });
});

const wrong: readonly ApiServerFlags[] = [
  { "audit-log-maxsize": ["-1"] },
  { "goaway-chance": ["0.5"] },
  { "max-requests-inflight": ["many"] },
  { "shutdown-delay-duration": ["soon"] },
  { "runtime-config": ["apps/v1=maybe"] },
];
for (const flags of wrong) {
  test(`refused: ${JSON.stringify(flags)}`, () => {
    assert.throws(() => operationOptions(flags), { code: "OPTION_INVALID" });
  });
}
