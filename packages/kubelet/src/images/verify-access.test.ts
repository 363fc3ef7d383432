import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { seededRandom, VirtualClock } from "@skiff/base";
import { fileLogs, SimulatedRuntime } from "@skiff/runtime";
import { type AccessRules, ImageAccess } from "./image-access.ts";
import type { PullLogin } from "./keyring.ts";
import { PullRecords } from "./pull-records.ts";
import { mustVerify } from "./verify-access.ts";

const login = (name: string, password: string): PullLogin => ({
  auth: { username: "u", password },
  source: { kind: "secret", uid: `uid-${name}`, namespace: "d", name },
});
const account = (name: string): PullLogin => ({
  auth: { username: "u", password: "p" },
  source: { kind: "serviceAccount", uid: `uid-${name}`, namespace: "d", name },
});
const image = { ref: "sha256:1", name: "r.io/a:1", repository: "r.io/a" };
const rules: AccessRules = { enabled: true, policy: "NeverVerifyPreloadedImages", allowlist: [] };

async function node(options: Partial<AccessRules> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "skiff-pulls-"));
  const make = () => {
    const records = new PullRecords(folder);
    return {
      records,
      access: new ImageAccess({ records, clock: new VirtualClock(), rules: { ...rules, ...options } }),
    };
  };
  return { ...make(), again: make, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const pulledWith = (access: ImageAccess, used: PullLogin | undefined) =>
  access.pulling(image, async () => ({ id: image.ref, login: used }));
const allows = (access: ImageAccess, ...logins: readonly PullLogin[]) => access.isAllowed(image, async () => logins);

describe("an image that is on the node", () => {
  it("is everybody's where the kubelet did not bring it", async () => {
    await using one = await node();
    assert.equal(await allows(one.access), true);
  });

  it("is everybody's where no login was needed, or that of the node", async () => {
    for (const used of [undefined, { auth: {}, source: { kind: "node" } } as const]) {
      await using one = await node();
      await pulledWith(one.access, used);
      assert.equal(await allows(one.access), true);
    }
  });

  it("is for those who show what the registry accepted, or the same secret", async () => {
    await using one = await node();
    await pulledWith(one.access, login("s", "p"));
    assert.equal(await allows(one.access), false);
    assert.equal(await allows(one.access, login("other", "wrong")), false);
    assert.equal(await allows(one.access, login("copy", "p")), true, "the same login of another secret");
    assert.equal(await allows(one.access, login("s", "changed")), true, "the same secret, another login");
    assert.equal(await allows(one.access, login("third", "changed")), true, "that login is known now");
    assert.equal(await allows(one.access, account("a")), false);
  });

  it("is for the service account that it was pulled for", async () => {
    await using one = await node();
    await pulledWith(one.access, account("a"));
    assert.equal(await allows(one.access, account("a")), true);
    assert.equal(await allows(one.access, account("b")), false);
    assert.equal(await allows(one.access, login("s", "p")), false);
  });

  it("has another name in another registry: that has to be asked, too", async () => {
    await using one = await node();
    await pulledWith(one.access, undefined);
    const elsewhere = { ...image, name: "other.io/a:1", repository: "other.io/a" };
    assert.equal(await one.access.isAllowed(elsewhere, async () => []), false);
  });

  it("stays private over a restart, also when the kubelet died while it was pulled", async () => {
    await using one = await node();
    await pulledWith(one.access, login("s", "p"));
    const clock = new VirtualClock();
    const runtime = new SimulatedRuntime({ clock, random: seededRandom(1), podCidr: "10.0.0.0/24", logs: fileLogs });
    const { signal } = new AbortController();
    const second = one.again();
    await second.access.resume(runtime, signal);
    assert.equal(await allows(second.access), false);
    assert.equal(await allows(second.access, login("s", "p")), true);
    await runtime.pullImage("r.io/half:1", undefined, signal);
    const half = await runtime.imageStatus("r.io/half:1");
    assert.ok(half !== undefined);
    await second.records.begin("r.io/half:1");
    const third = one.again();
    await third.access.resume(runtime, signal);
    const asked = { ref: half.id, name: "r.io/half:1", repository: "r.io/half" };
    assert.equal(await third.access.isAllowed(asked, async () => [login("s", "p")]), false);
    await third.access.prune(new Set([half.id]), Number.POSITIVE_INFINITY);
    assert.equal(third.records.get(image.ref), undefined);
    assert.ok(third.records.get(half.id) !== undefined);
  });

  it("needs nothing where the feature is off", async () => {
    await using one = await node({ enabled: false });
    await pulledWith(one.access, login("s", "p"));
    assert.equal(await allows(one.access), true);
  });

  it("is verified as the policy says", () => {
    const allowlist = ["r.io/a", "q.io/team/*"];
    const of = (policy: AccessRules["policy"], repository: string, pulledByKubelet: boolean) =>
      mustVerify(repository, { policy, allowlist, pulledByKubelet });
    assert.deepEqual(
      [
        of("NeverVerify", "x", true),
        of("AlwaysVerify", "r.io/a", false),
        of("NeverVerifyPreloadedImages", "x", false),
        of("NeverVerifyPreloadedImages", "x", true),
        of("NeverVerifyAllowlistedImages", "r.io/a", true),
        of("NeverVerifyAllowlistedImages", "q.io/team/x", true),
        of("NeverVerifyAllowlistedImages", "r.io/ab", false),
      ],
      [false, true, false, true, false, false, true],
    );
  });
});
