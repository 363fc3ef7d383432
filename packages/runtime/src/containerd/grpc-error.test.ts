import assert from "node:assert/strict";
import { it } from "node:test";
import { RuntimeError } from "../runtime.ts";
import { isPassing } from "./grpc-error.ts";

for (const [error, passing] of [
  [new RuntimeError("UNAVAILABLE", "no connection"), true],
  [new RuntimeError("DEADLINE_EXCEEDED", "too late"), true],
  [new RuntimeError("UNKNOWN", "failed to destroy network: context deadline exceeded"), true],
  [new RuntimeError("UNKNOWN", "netplugin failed with no error message: signal: killed"), true],
  [new RuntimeError("NOT_FOUND", "no such container"), false],
  [new RuntimeError("INVALID_ARGUMENT", "no id"), false],
  [new Error("context deadline exceeded"), false],
] as const)
  it(`${passing ? "tries again" : "gives up"} after ${error.message}`, () => assert.equal(isPassing(error), passing));
