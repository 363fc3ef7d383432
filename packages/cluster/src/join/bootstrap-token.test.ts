import assert from "node:assert/strict";
import { test } from "node:test";
import { newToken, parseToken, tokenOfSecret, tokenSecret } from "./bootstrap-token.ts";

test("a token is read back from its Secret as it was", () => {
  const whole = {
    ...newToken(),
    expiresMs: Date.parse("2030-01-01T00:00:00Z"),
    usages: ["signing", "authentication"] as const,
    groups: ["system:bootstrappers:a", "system:bootstrappers:b"],
    description: "for b",
  };
  const bare = { ...newToken(), expiresMs: undefined, usages: [], groups: [], description: "" };
  for (const token of [whole, bare]) {
    const made = tokenSecret(token);
    assert.equal(made.metadata.name, `bootstrap-token-${token.id}`);
    const stored = {
      ...made,
      metadata: { name: "x", namespace: "kube-system", uid: "1", resourceVersion: "1", creationTimestamp: "" },
    };
    assert.deepEqual(tokenOfSecret(stored), token);
    assert.equal(tokenOfSecret({ ...stored, type: "Opaque" }), undefined);
  }
});

test("tokens have their form", () => {
  const { id, secret } = newToken();
  assert.deepEqual(parseToken(`${id}.${secret}`), { id, secret });
  for (const text of ["", "abcdef", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "abcdef.0123456789abcdef."]) {
    assert.throws(() => parseToken(text), /abcdef\.0123456789abcdef/);
  }
});
