import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { jsonServer } from "../../fixtures/json-server.ts";
import type { JwtIssuer } from "./jwt-issuer.ts";
import { OidcTokens } from "./oidc-tokens.ts";

const audiences = ["api"];

async function provider() {
  const keys = [await generateKeyPair("RS256"), await generateKeyPair("RS256")] as const;
  const published = [0];
  const known = await Promise.all(
    keys.map(async ({ publicKey }, index) => ({ ...(await exportJWK(publicKey)), kid: `k${index}`, alg: "RS256" })),
  );
  const server = await jsonServer((path) => {
    if (path === "/.well-known/openid-configuration") return { issuer: server.url, jwks_uri: `${server.url}/keys` };
    return path === "/keys" ? { keys: known.filter((_, index) => published.includes(index)) } : undefined;
  });
  const sign = (claims: JWTPayload, which: 0 | 1 = 0, expires = "10m") =>
    new SignJWT({ iss: server.url, aud: "skiff", sub: "42", ...claims })
      .setProtectedHeader({ alg: "RS256", kid: `k${which}` })
      .setExpirationTime(expires)
      .sign(keys[which].privateKey);
  const tokens = (change: Partial<JwtIssuer> = {}, clock: Clock = systemClock) =>
    new OidcTokens({
      issuer: {
        url: server.url,
        certificateAuthority: server.ca,
        audiences: ["skiff", "other"],
        algorithms: ["RS256"],
        requiredClaims: {},
        username: { claim: "sub", prefix: "oidc:" },
        groups: { claim: "roles", prefix: "oidc:" },
        ...change,
      },
      audiences,
      clock,
      logger: silentLogger,
    });
  return { server, published, sign, tokens };
}

const shown = async (tokens: OidcTokens, token: string): Promise<unknown> => {
  const outcome = await tokens.look(token, audiences);
  return outcome.kind === "user" ? outcome.user : outcome.kind === "refused" ? outcome.why : outcome.kind;
};

test("ID tokens become users by their claims", async () => {
  const { server, sign, tokens } = await provider();
  await using _server = server;
  const all = tokens();
  assert.deepEqual(await shown(all, await sign({ roles: ["dev", "ops"] })), {
    name: "oidc:42",
    groups: ["oidc:dev", "oidc:ops"],
  });
  assert.deepEqual(await shown(all, await sign({ roles: "dev" })), { name: "oidc:42", groups: ["oidc:dev"] });
  const email = { username: { claim: "email", prefix: "" }, uid: { claim: "sub", prefix: "" } };
  assert.deepEqual(await shown(tokens(email), await sign({ email: "a@example.com", email_verified: true })), {
    name: "a@example.com",
    uid: "42",
    groups: [],
  });
  const cases: readonly (readonly [change: Partial<JwtIssuer>, claims: JWTPayload, why: RegExp])[] = [
    [email, { email: "a@example.com", email_verified: false }, /^oidc: email not verified$/],
    [email, {}, /^oidc: parse username claims "email": claim not present$/],
    [{ requiredClaims: { hd: "x" } }, {}, /^oidc: required claim hd not present in ID token$/],
    [{ requiredClaims: { hd: "x" } }, { hd: "y" }, /value does not match\. Got = y, want = x$/],
    [{}, { aud: "somebody" }, /^oidc: verify token: /],
    [{}, { roles: [{}] }, /^oidc: parse groups claim "roles"/],
    [{ algorithms: ["ES256"] }, {}, /^oidc: verify token: /],
  ];
  for (const [change, claims, why] of cases) assert.match(String(await shown(tokens(change), await sign(claims))), why);
  assert.match(String(await shown(all, await sign({}, 0, "-1m"))), /^oidc: verify token: .*exp/);
  assert.equal(await shown(all, await sign({ iss: "https://elsewhere.example.com" })), "unknown");
  assert.equal(await shown(all, "abc"), "unknown");
});

test("keys are fetched once, and again for one that is new", async () => {
  const { server, published, sign, tokens } = await provider();
  await using _server = server;
  const clock = new VirtualClock(systemClock.now());
  const renewing = tokens({}, clock);
  const fetches = () => server.calls.filter(({ path }) => path === "/keys").length;
  for (let count = 0; count < 3; count++) await shown(renewing, await sign({}));
  assert.equal(fetches(), 1);
  assert.match(String(await shown(renewing, await sign({}, 1))), /no applicable key/);
  published.push(1);
  assert.match(String(await shown(renewing, await sign({}, 1))), /no applicable key/, "not so soon");
  await clock.advance(10_000);
  assert.deepEqual(await shown(renewing, await sign({}, 1)), { name: "oidc:42", groups: [] });
  assert.equal(fetches(), 2);
});
