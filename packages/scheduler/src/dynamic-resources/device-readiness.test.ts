import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DynamicResourceClaim, ResourceClaims } from "@skiff/api";
import { timestamp, VirtualClock } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState, viewOf } from "../cluster-state.ts";
import { whenDevicesReady } from "./device-readiness.ts";

/** A claim whose one device was given to it at a time and has to be attached. */
function claim(revision: number, given: number | undefined, conditions: readonly string[] = []): DynamicResourceClaim {
  const device = { driver: "d", pool: "p", device: "g" };
  const result = { ...device, request: "r", bindingConditions: ["Attached"], bindingFailureConditions: ["Broken"] };
  const told = conditions.map((type) => ({ type, status: "True", reason: "", message: "", lastTransitionTime: "" }));
  const creationTimestamp = "2026-01-01T00:00:00Z";
  return {
    metadata: { name: "c", namespace: "default", uid: "c", resourceVersion: `${revision}`, creationTimestamp },
    spec: {},
    status:
      given === undefined
        ? {}
        : {
            allocation: { devices: { results: [result] }, allocationTimestamp: timestamp(given) },
            devices: [{ ...device, conditions: told }],
          },
  };
}

async function setUp() {
  const clock = new VirtualClock();
  const informers = new MemoryInformers();
  const claims = informers.for(ResourceClaims);
  const cluster = viewOf(new ClusterState(), informers);
  const context = { clock, cluster, signal: new AbortController().signal, bindingTimeoutMs: 10_000 };
  let outcome = "waits";
  const wait = (one: DynamicResourceClaim) =>
    void whenDevicesReady(one, context).then(
      () => {
        outcome = "ready";
      },
      (error: Error) => {
        outcome = error.message;
      },
    );
  const afterMs = async (ms: number) => {
    await clock.advance(ms);
    return outcome;
  };
  return { clock, claims, wait, afterMs };
}

describe("devices that have to be made ready", () => {
  it("are waited for, whatever is known of the claim of before", async () => {
    const { clock, claims, wait, afterMs } = await setUp();
    claims.put(claim(1, undefined));
    const written = claim(2, clock.now());
    wait(written);
    assert.equal(await afterMs(1000), "waits");
    claims.put(written);
    claims.put(claim(3, clock.now(), ["Attached"]));
    assert.equal(await afterMs(0), "ready");
  });

  it("have no more time than is left since the claim was given them", async () => {
    const { clock, wait, afterMs } = await setUp();
    const given = clock.now();
    await clock.advance(6000);
    wait(claim(2, given));
    assert.equal(await afterMs(3000), "waits");
    assert.equal(await afterMs(2000), "device binding timeout for claim default/c");
  });

  it("may fail, or be taken from the claim", async () => {
    const { clock, claims, wait, afterMs } = await setUp();
    wait(claim(2, clock.now()));
    claims.put(claim(3, clock.now(), ["Broken"]));
    assert.equal(await afterMs(0), "claim default/c: device d/p/g has failed binding: Broken");
    const other = await setUp();
    other.wait(claim(2, other.clock.now()));
    other.claims.put(claim(3, undefined));
    assert.equal(await other.afterMs(0), "claim default/c lost its devices in the meantime");
  });
});
