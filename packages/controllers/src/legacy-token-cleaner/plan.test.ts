import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Secret } from "@skiff/api";
import { meta, podNamed } from "../fixtures/objects.ts";
import { dateOf, planToken, trackedSinceMs } from "./plan.ts";

const nowMs = Date.UTC(2030, 5, 1);
const lastUsed = "kubernetes.io/legacy-token-last-used";
const invalidSince = "kubernetes.io/legacy-token-invalid-since";

const token = (labels: Record<string, string> = {}, created = "2026-01-01T00:00:00Z"): Secret => ({
  metadata: { ...meta("robot-token"), creationTimestamp: created, labels },
  type: "kubernetes.io/service-account-token",
});
const account = { metadata: meta("robot"), secrets: [{ name: "robot-token" }] };
const podWith = (spec: Partial<Pod["spec"]>): Pod => {
  const pod = podNamed("p");
  return { ...pod, spec: { ...pod.spec, ...spec } };
};
const usual = { account, pods: [], trackedSinceMs: Date.UTC(2026, 0, 2), nowMs };

const fates = [
  { what: "unused", secret: token(), seen: {}, kind: "invalidate" },
  { what: "used long ago", secret: token({ [lastUsed]: "2029-05-31" }), seen: {}, kind: "invalidate" },
  { what: "used within the year", secret: token({ [lastUsed]: "2029-06-01" }), seen: {}, kind: "keep" },
  { what: "with nonsense about its use", secret: token({ [lastUsed]: "never" }), seen: {}, kind: "keep" },
  { what: "made within the year", secret: token({}, "2029-07-01T00:00:00Z"), seen: {}, kind: "keep" },
  { what: "tracked too short", secret: token(), seen: { trackedSinceMs: Date.UTC(2029, 6, 1) }, kind: "keep" },
  { what: "made by hand", secret: token(), seen: { account: { ...account, secrets: [] } }, kind: "keep" },
  { what: "of an account that is gone", secret: token(), seen: { account: undefined }, kind: "keep" },
  { what: "invalid for a while", secret: token({ [invalidSince]: "2030-01-01" }), seen: {}, kind: "keep" },
  { what: "invalid for a year", secret: token({ [invalidSince]: "2029-05-31" }), seen: {}, kind: "remove" },
  { what: "invalid since nonsense", secret: token({ [invalidSince]: "x" }), seen: {}, kind: "invalidate" },
];

for (const { what, secret, seen, kind } of fates) {
  test(`a token ${what}: ${kind}`, () => {
    assert.equal(planToken(secret, { ...usual, ...seen }).kind, kind);
  });
}

const name = "robot-token";
const users: readonly (readonly [string, Partial<Pod["spec"]>])[] = [
  ["a volume", { volumes: [{ name: "v", secret: { secretName: name } }] }],
  ["a projected volume", { volumes: [{ name: "v", projected: { sources: [{ secret: { name } }] } }] }],
  [
    "a variable",
    { containers: [{ name: "c", env: [{ name: "T", valueFrom: { secretKeyRef: { name, key: "token" } } }] }] },
  ],
  ["variables", { initContainers: [{ name: "c", envFrom: [{ secretRef: { name } }] }] }],
  ["image pulls", { imagePullSecrets: [{ name }] }],
  ["a driver", { volumes: [{ name: "v", csi: { driver: "d", nodePublishSecretRef: { name } } }] }],
];

for (const [what, spec] of users) {
  test(`a token stays while a pod has it as ${what}`, () => {
    assert.equal(planToken(token(), { ...usual, pods: [podWith(spec)] }).kind, "keep");
  });
}

test("days are told and read", () => {
  assert.equal(dateOf(Date.UTC(2026, 0, 31, 23)), "2026-01-31");
  assert.equal(trackedSinceMs("2026-01-31"), Date.UTC(2026, 1, 1));
  assert.equal(trackedSinceMs("soon"), undefined);
});
