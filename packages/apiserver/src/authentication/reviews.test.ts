import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { testSetup } from "../fixtures/test-client.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const account = "/api/v1/namespaces/default/serviceaccounts/default";

const statusOf = ({ status }: JsonObject): JsonObject => (isJsonObject(status) ? status : {});

test("a token's review: whose it is, for whom, and why not", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const made = await call(`${account}/token`, { method: "POST", body: { spec: { audiences: [issuer, "vault"] } } });
  assert.equal(made.status, 201);
  const { token } = statusOf(made.json);
  const review = async (spec: object) => {
    const answer = await call(reviews, { method: "POST", body: { spec } });
    assert.equal(answer.status, 201, answer.text);
    return statusOf(answer.json);
  };
  const { user, ...good } = await review({ token });
  assert.deepEqual(good, { authenticated: true, audiences: [issuer] });
  assert.ok(isJsonObject(user) && isJsonObject(user.extra));
  assert.equal(user.username, "system:serviceaccount:default:default");
  assert.deepEqual(user.groups, ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
  assert.match(String(user.extra["authentication.kubernetes.io/credential-id"]), /^JTI=[0-9a-f-]{36}$/);
  assert.deepEqual((await review({ token, audiences: ["vault", "other"] })).audiences, ["vault"]);
  assert.deepEqual(await review({ token, audiences: ["other"] }), {
    user: {},
    error: `[invalid bearer token, token audiences ["${issuer}" "vault"] is invalid for the target audiences ["other"]]`,
  });
  assert.deepEqual(await review({ token: "nonsense" }), { user: {}, error: "invalid bearer token" });
  await call(account, { method: "DELETE" });
  assert.deepEqual(await review({ token }), {
    user: {},
    error: "[invalid bearer token, service account token has been invalidated]",
  });
  const empty = await call(reviews, { method: "POST", body: { spec: {} } });
  assert.deepEqual([empty.status, empty.json.message], [400, "token is required for TokenReview in authentication"]);
});

test("a token request is answered with what it asked for, filled in", async () => {
  await using setup = await testSetup();
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { json, status } = await setup.call(`${account}/token`, { method: "POST", body });
  assert.equal(status, 201);
  assert.ok(isJsonObject(json.metadata));
  assert.deepEqual([json.kind, json.metadata.name, json.metadata.namespace], ["TokenRequest", "default", "default"]);
  assert.deepEqual(json.spec, { audiences: [issuer], expirationSeconds: 3600, boundObjectRef: null });
  const other = await setup.call(`${account}/token`, { method: "POST", body: { ...body, metadata: { name: "x" } } });
  assert.deepEqual(
    [other.status, other.json.message],
    [400, "the name of the object (x) does not match the name on the URL (default)"],
  );
  const reference = { boundObjectRef: { apiVersion: "v1", kind: "ConfigMap", name: "x" } };
  const bound = await setup.call(`${account}/token`, { method: "POST", body: { ...body, spec: reference } });
  assert.deepEqual(
    [bound.status, bound.json.message],
    [400, "cannot bind token to object of type /v1, Kind=ConfigMap"],
  );
});
