import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Secret } from "@skiff/api";
import { secretLogins } from "./docker-config.ts";
import { parseImageName, referenceFault } from "./image-name.ts";
import { placeMatches, plainPlace } from "./image-place.ts";
import { loginsFor } from "./keyring.ts";

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
const metadata = { name: "s", namespace: "d", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const modern = (auths: unknown): Secret => ({
  metadata,
  type: "kubernetes.io/dockerconfigjson",
  data: { ".dockerconfigjson": base64({ auths }) },
});

const found = (reference: string, ...secrets: readonly Secret[]) => {
  const image = parseImageName(reference);
  assert.ok(image !== undefined);
  const credentials = secrets.map((secret) => ({ source: { kind: "node" } as const, logins: secretLogins(secret) }));
  return loginsFor(image, credentials).map(({ auth }) => `${auth.username}:${auth.password}`);
};

describe("the logins for an image", () => {
  const table: readonly (readonly [string, string, string, boolean])[] = [
    ["a host", "example.com", "example.com/x", true],
    ["any first part", "*.example.com", "a.example.com/x", true],
    ["a part of a part", "registry-*.example.com", "registry-eu.example.com/x", true],
    ["another number of parts", "*.example.com", "a.b.example.com/x", false],
    ["a path's beginning", "example.com/team", "example.com/team/app", true],
    ["another path", "example.com/team", "example.com/other", false],
    ["a port that is not said", "example.com", "example.com:5000/x", false],
    ["the same port", "example.com:5000", "example.com:5000/x", true],
    ["dots that are no wildcards", "example.com", "exampleXcom/x", false],
  ];
  for (const [what, place, image, yes] of table) it(what, () => assert.equal(placeMatches(place, image), yes));

  it("names of places lose scheme and API version", () => {
    const names = ["https://index.docker.io/v1/", "http://a.b/v2/team", "a.b/v1beta", "a.b/"];
    assert.deepEqual(names.map(plainPlace), ["index.docker.io", "a.b/team", "a.b/v1beta", "a.b"]);
  });

  it("Docker Hub's", () => {
    const secret = modern({ "https://index.docker.io/v1/": { auth: "dTpw" } });
    assert.deepEqual(found("busybox", secret), ["u:p"]);
    assert.deepEqual(found("team/app:1", secret), ["u:p"]);
    assert.deepEqual(found("ghcr.io/team/app:1", secret), []);
  });

  it("the most specific first, those of several secrets in their order", () => {
    const one = modern({ "ghcr.io": { username: "a", password: "1" }, "ghcr.io/team": { auth: "Yjoy" } });
    const two = modern({ "https://ghcr.io": { username: "c", password: "3" } });
    assert.deepEqual(found("ghcr.io/team/app:1", one, two), ["b:2", "a:1", "c:3"]);
    assert.deepEqual(found("ghcr.io/other/app:1", one, two), ["a:1", "c:3"]);
  });

  it("what is joined counts more than what stands beside it", () => {
    assert.deepEqual(found("ghcr.io/a", modern({ "ghcr.io": { username: "x", password: "y", auth: "dTpwOnE=" } })), [
      "u:p:q",
    ]);
  });

  it("of a secret's type only", () => {
    const old = {
      metadata,
      type: "kubernetes.io/dockercfg",
      data: { ".dockercfg": base64({ "ghcr.io": { auth: "dTpw" } }) },
    };
    assert.deepEqual(found("ghcr.io/a", old), ["u:p"]);
    assert.deepEqual(found("ghcr.io/a", { ...old, type: "Opaque" }), []);
    assert.deepEqual(found("ghcr.io/a", { ...modern({}), data: { ".dockerconfigjson": "bm90IGpzb24=" } }), []);
  });

  it("no reference, and why", () => {
    assert.equal(
      referenceFault("Team:1"),
      "invalid reference format: repository name (library/Team) must be lowercase",
    );
    assert.equal(referenceFault("a::b"), "invalid reference format");
    assert.match(referenceFault("a".repeat(64)), /cannot specify 64-byte hexadecimal strings/);
  });
});
