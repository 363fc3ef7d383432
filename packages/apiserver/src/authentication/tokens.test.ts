import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { Secrets, ServiceAccounts } from "@skiff/api";
import { isJsonObject, randomInt, seededRandom, VirtualClock } from "@skiff/base";
import { fakeTable } from "../fixtures/fake-table.ts";
import { namespacedMeta, writeContext } from "../fixtures/objects.ts";
import { bootstrapTokens } from "./bootstrap-tokens.ts";
import { legacyClaimsToJson } from "./legacy-token-claims.ts";
import { ServiceAccountTokens, type TokenUse } from "./service-account-tokens.ts";
import { TokenUnion } from "./token-authenticator.ts";
import { claimsToJson } from "./token-claims.ts";
import { parseTokenFile } from "./token-file.ts";
import { TokenKeys } from "./token-keys.ts";

const pem = (key: { export(options: { type: "pkcs8"; format: "pem" }): string | Buffer }) =>
  key.export({ type: "pkcs8", format: "pem" }).toString();
const rsa = pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);
const ec = pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const audiences = ["api"];
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("keys are rotated: the old one's tokens are good, the new one signs", async () => {
  const claims = { sub: "x" };
  const [old, now] = [new TokenKeys(rsa), new TokenKeys(ec, [rsa])];
  assert.deepEqual(now.verify(old.sign(claims)), claims);
  assert.deepEqual(now.verify(now.sign(claims)), claims);
  assert.equal(old.verify(now.sign(claims)), undefined);
  assert.deepEqual(now.algorithms(), ["ES256", "RS256"]);
  const { keys } = now.keySet();
  assert.ok(Array.isArray(keys));
  assert.deepEqual(
    keys.map((key) => (isJsonObject(key) ? [key.alg, key.kty, key.use, "d" in key] : key)),
    [
      ["ES256", "EC", "sig", false],
      ["RS256", "RSA", "sig", false],
    ],
    "no private numbers",
  );
});

test("tokens in Secrets are as good as the Secret that they stand in", async () => {
  const keys = new TokenKeys(rsa);
  const account = { namespace: "default", secretName: "robot-token", accountName: "robot" };
  const token = keys.sign(legacyClaimsToJson({ ...account, accountUid: "uid-robot" }));
  const secret = { metadata: namespacedMeta("robot-token"), data: { token: base64(token) } };
  const table = fakeTable([
    [ServiceAccounts, [{ metadata: namespacedMeta("robot") }]],
    [Secrets, [secret]],
  ]);
  const tokens = new ServiceAccountTokens({ keys, issuers: ["i"], audiences, table, clock: new VirtualClock() });
  const found = await tokens.look(token, audiences);
  assert.deepEqual(found, {
    kind: "user",
    user: {
      name: "system:serviceaccount:default:robot",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default"],
      uid: "uid-robot",
    },
    audiences,
  });
  assert.equal((await tokens.look(token, ["vault"])).kind, "refused");
  const recreated = keys.sign(legacyClaimsToJson({ ...account, accountUid: "uid-before" }));
  assert.equal((await tokens.look(recreated, audiences)).kind, "refused");
  await table
    .of(Secrets)
    .modify({ namespace: "default", name: "robot-token" }, (one) => ({ ...one, data: {} }), writeContext);
  assert.deepEqual(await tokens.look(token, audiences), {
    kind: "refused",
    why: "service account token has been invalidated",
  });
});

test("the use of a token in a Secret is told once a day, also of one that was marked as unused", async () => {
  const keys = new TokenKeys(rsa);
  const claims = { namespace: "default", secretName: "robot-token", accountName: "robot", accountUid: "uid-robot" };
  const token = keys.sign(legacyClaimsToJson(claims));
  const ref = { namespace: "default", name: "robot-token" };
  const table = fakeTable([
    [ServiceAccounts, [{ metadata: namespacedMeta("robot") }]],
    [Secrets, [{ metadata: namespacedMeta("robot-token"), data: { token: base64(token) } }]],
  ]);
  const clock = new VirtualClock(Date.UTC(2026, 0, 31));
  const used: string[] = [];
  const onUse = ({ name, day }: TokenUse) => void used.push(`${name} ${day}`);
  const tokens = new ServiceAccountTokens({ keys, issuers: ["i"], audiences, table, clock, onUse });
  const label = async (labels: Record<string, string>) => {
    const secrets = table.of(Secrets);
    await secrets.modify(ref, (one) => ({ ...one, metadata: { ...one.metadata, labels } }), writeContext);
    return await tokens.look(token, audiences);
  };
  assert.equal((await label({})).kind, "user");
  assert.equal((await label({ "kubernetes.io/legacy-token-last-used": "2026-01-31" })).kind, "user");
  assert.equal((await label({ "kubernetes.io/legacy-token-last-used": "2026-02-01" })).kind, "user");
  assert.equal((await label({ "kubernetes.io/legacy-token-last-used": "2026-01-30" })).kind, "user");
  const marked = await label({ "kubernetes.io/legacy-token-invalid-since": "2026-01-01" });
  assert.ok(marked.kind === "refused");
  assert.match(
    marked.why,
    /^the token in secret default\/robot-token for service account default\/robot has been marked/,
  );
  assert.deepEqual(used, ["robot-token 2026-01-31", "robot-token 2026-01-31", "robot-token 2026-01-31"]);
});

test("tokens of issuers that are known, and of no others", async () => {
  const keys = new TokenKeys(rsa);
  const table = fakeTable([[ServiceAccounts, [{ metadata: namespacedMeta("robot") }]]]);
  const clock = new VirtualClock();
  const tokens = new ServiceAccountTokens({ keys, issuers: ["new", "old"], audiences, table, clock });
  const issued = (issuer: string) => {
    const now = Math.floor(clock.now() / 1000);
    const serviceAccount = { name: "robot", uid: "uid-robot" };
    const times = { issuedAt: now, expires: now + 60 };
    return keys.sign(claimsToJson({ issuer, audiences, ...times, id: "1", namespace: "default", serviceAccount }));
  };
  const kinds = await Promise.all(
    ["new", "old", "other"].map(async (issuer) => (await tokens.look(issued(issuer), audiences)).kind),
  );
  assert.deepEqual(kinds, ["user", "user", "unknown"]);
});

test("bootstrap tokens", async () => {
  const clock = new VirtualClock();
  const data = (change: Record<string, string>) => ({
    "token-id": "abcdef",
    "token-secret": "0123456789abcdef",
    "usage-bootstrap-authentication": "true",
    "auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a",
    ...change,
  });
  const encoded = (change: Record<string, string>) =>
    Object.fromEntries(Object.entries(data(change)).map(([key, value]) => [key, base64(value)]));
  const look = async (
    change: Record<string, string>,
    token = "abcdef.0123456789abcdef",
    type = "bootstrap.kubernetes.io/token",
  ) => {
    const secret = { metadata: namespacedMeta("bootstrap-token-abcdef", "kube-system"), type, data: encoded(change) };
    const tokens = bootstrapTokens({ table: fakeTable([[Secrets, [secret]]]), clock, audiences });
    const outcome = await tokens.look(token, audiences);
    return outcome.kind === "user" ? [outcome.user.name, ...outcome.user.groups] : outcome.kind;
  };
  const later = new Date(clock.now() + 60_000).toISOString();
  const earlier = new Date(clock.now() - 60_000).toISOString();
  const user = ["system:bootstrap:abcdef", "system:bootstrappers", "system:bootstrappers:a", "system:bootstrappers:b"];
  assert.deepEqual(await look({}), user);
  assert.deepEqual(await look({ expiration: later }), user);
  for (const change of [
    { expiration: earlier },
    { expiration: "tomorrow" },
    { "token-id": "zzzzzz" },
    { "usage-bootstrap-authentication": "false" },
    { "auth-extra-groups": "system:masters" },
  ]) {
    assert.equal(await look(change), "unknown", JSON.stringify(change));
  }
  assert.equal(await look({}, "abcdef.fedcba9876543210"), "unknown");
  assert.equal(await look({}, "abcdef.0123456789abcdef", "Opaque"), "unknown");
});

test("reasons of all who refuse a token are told", async () => {
  const refuses = (why: string) => ({ look: () => ({ kind: "refused", why }) as const });
  const waits = { look: async () => ({ kind: "refused", why: "b" }) as const };
  const union = new TokenUnion([refuses("a"), waits, refuses("c")]);
  assert.deepEqual(await union.look("t", audiences), { kind: "refused", why: "a, b, c" });
});

test("token files", () => {
  const users = parseTokenFile('# comment\nt1,alice,7,"dev, ops"\n\nt2,bob,\n');
  assert.deepEqual(users.get("t1"), { name: "alice", uid: "7", groups: ["dev", "ops"] });
  assert.deepEqual(users.get("t2"), { name: "bob", groups: [] });
  assert.throws(() => parseTokenFile("t3,carol"), /line 1 of the token file has less than 3 columns/);
});

test("no text is taken for a token of ours, and none breaks anything", async () => {
  const random = seededRandom(7);
  const keys = new TokenKeys(ec, [rsa]);
  const table = fakeTable([[ServiceAccounts, [{ metadata: namespacedMeta("robot") }]]]);
  const clock = new VirtualClock();
  const all = new TokenUnion([
    bootstrapTokens({ table, clock, audiences }),
    new ServiceAccountTokens({ keys, issuers: ["i"], audiences, table, clock }),
  ]);
  const now = Math.floor(clock.now() / 1000);
  const times = { issuedAt: now, expires: now + 60 };
  const serviceAccount = { name: "robot", uid: "uid-robot" };
  const token = keys.sign(
    claimsToJson({ issuer: "i", audiences, ...times, id: "1", namespace: "default", serviceAccount }),
  );
  assert.equal((await all.look(token, audiences)).kind, "user");
  const part = () =>
    Buffer.from(JSON.stringify([{ alg: "none" }, { alg: "RS256", kid: {} }, [], null, 1][randomInt(random, 5)]));
  for (let round = 0; round < 500; round++) {
    const at = randomInt(random, token.length);
    const mutated = `${token.slice(0, at)}${String.fromCharCode(33 + randomInt(random, 90))}${token.slice(at + 1)}`;
    const made = `${part().toString("base64url")}.${part().toString("base64url")}.${token.split(".")[2]?.slice(0, at)}`;
    for (const text of [mutated, made, token.slice(0, at), "..", ".".repeat(at)]) {
      // The last character of a part has bits that say nothing.
      const same = Buffer.from(text.split(".")[2] ?? "", "base64url").equals(
        Buffer.from(token.split(".")[2] ?? "", "base64url"),
      );
      if (same && text.startsWith(token.slice(0, token.lastIndexOf(".") + 1))) continue;
      assert.notEqual((await all.look(text, audiences)).kind, "user", text);
    }
  }
});
