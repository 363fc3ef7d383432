import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLogger, VirtualClock } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { CredentialPlugin, type ShowAccount } from "./credential-plugin.ts";
import { parseCredentialProviders } from "./credential-provider-config.ts";

const { signal } = new AbortController();
const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
const provider = { name: "p", apiVersion, matchImages: ["*.r.io"], defaultCacheDuration: "10m" };
const config = (...providers: readonly unknown[]) => ({
  apiVersion: "kubelet.config.k8s.io/v1",
  kind: "CredentialProviderConfig",
  providers,
});
const token = { serviceAccountTokenAudience: "r", requireServiceAccount: true, cacheType: "ServiceAccount" };
const none: ShowAccount = async () => "none";

/** A program that notes what it was asked and answers with `answer`. */
async function plugin(answer: object | string, more: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "skiff-plugin-"));
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  const asked = join(folder, "asked");
  const script = `#!/bin/sh\n[ -z "$FAIL" ] || { echo no luck >&2; exit 3; }\ncat >>${asked}\necho " $1 $TEAM" >>${asked}\ncat <<'E'\n${text}\nE\n`;
  await writeFile(join(folder, "p"), script);
  await chmod(join(folder, "p"), 0o755);
  const clock = new VirtualClock();
  const said: string[] = [];
  const logger = createLogger({ clock, write: (line) => said.push(line), level: "warn" });
  const [parsed] = parseCredentialProviders([config({ ...provider, ...more })]);
  assert.ok(parsed !== undefined);
  const one = new CredentialPlugin({ provider: parsed, folder, processes: systemProcesses, clock, logger });
  const questions = async () => (await readFile(asked, "utf8").catch(() => "")).split("\n").filter(Boolean);
  return { one, clock, said, questions, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const response = (more: object = {}) => ({
  kind: "CredentialProviderResponse",
  apiVersion,
  cacheKeyType: "Registry",
  auth: { "*.r.io": { username: "u", password: "p" } },
  ...more,
});

describe("a credential provider", () => {
  it("is asked about its images, with its arguments and environment", async () => {
    const more = { args: ["get"], env: [{ name: "TEAM", value: "blue" }] };
    await using one = await plugin(response(), more);
    assert.deepEqual(await one.one.credentials("other.io/x", none, signal), []);
    const [credentials] = await one.one.credentials("a.r.io/x", none, signal);
    assert.deepEqual(credentials?.source, { kind: "node" });
    assert.deepEqual(credentials?.logins, [{ place: "*.r.io", auth: { username: "u", password: "p" } }]);
    const request = { kind: "CredentialProviderRequest", apiVersion, image: "a.r.io/x" };
    assert.deepEqual(await one.questions(), [`${JSON.stringify(request)} get blue`]);
  });

  it("is not asked again for as long as its answer holds, and for what it holds", async () => {
    for (const [more, expected] of [
      [{ cacheKeyType: "Image" }, 3],
      [{ cacheKeyType: "Registry" }, 2],
      [{ cacheKeyType: "Global" }, 1],
      [{ cacheKeyType: "Global", cacheDuration: "0s" }, 4],
    ] as const) {
      await using one = await plugin(response(more));
      for (const image of ["a.r.io/x", "a.r.io/x", "a.r.io/y", "b.r.io/x"])
        await one.one.credentials(image, none, signal);
      assert.equal((await one.questions()).length, expected, JSON.stringify(more));
    }
    await using one = await plugin(response({ cacheDuration: "1m" }));
    await one.one.credentials("a.r.io/x", none, signal);
    await one.clock.advance(59_000);
    await one.one.credentials("a.r.io/x", none, signal);
    assert.equal((await one.questions()).length, 1);
    await one.clock.advance(2000);
    await one.one.credentials("a.r.io/x", none, signal);
    assert.equal((await one.questions()).length, 2);
  });

  it("gets the token of the pod's account, and its answer is for that account", async () => {
    await using one = await plugin(response(), { tokenAttributes: token });
    const shown =
      (name: string): ShowAccount =>
      async () => ({
        uid: `uid-${name}`,
        namespace: "d",
        name,
        token: `token-${name}`,
        annotations: { team: "blue" },
      });
    const [credentials] = await one.one.credentials("a.r.io/x", shown("a"), signal);
    assert.deepEqual(credentials?.source, { kind: "serviceAccount", uid: "uid-a", namespace: "d", name: "a" });
    await one.one.credentials("a.r.io/x", shown("a"), signal);
    await one.one.credentials("a.r.io/x", shown("b"), signal);
    const asked = await one.questions();
    assert.equal(asked.length, 2);
    assert.match(asked[0] ?? "", /"serviceAccountToken":"token-a","serviceAccountAnnotations":\{"team":"blue"\}/);
    assert.deepEqual(await one.one.credentials("a.r.io/x", async () => undefined, signal), []);
  });

  it("gives nothing where it fails, and the log says why, but never what it said", async () => {
    for (const [answer, more, why] of [
      [response(), { env: [{ name: "FAIL", value: "1" }] }, /exit status 3: no luck/],
      ["secret words", {}, /error decoding credential provider plugin response from stdout/],
      [response({ apiVersion: "v2" }), {}, /did not match expected apiVersion/],
      [response({ cacheKeyType: "Team" }), {}, /valid cacheKeyType: "Team"/],
    ] as const) {
      await using one = await plugin(answer, more);
      assert.deepEqual(await one.one.credentials("a.r.io/x", none, signal), []);
      assert.match(one.said.join("\n"), why);
      assert.doesNotMatch(one.said.join("\n"), /secret words/);
    }
  });

  for (const [what, bad, message] of [
    ["no provider", undefined, /at least 1 item/],
    ["a path for a name", { ...provider, name: "a/b" }, /cannot contain '\/'/],
    ["another version", { ...provider, apiVersion: "x/v1" }, /Unsupported value: "x\/v1"/],
    ["no images", { ...provider, matchImages: [] }, /at least 1 item in matchImages/],
    ["no duration", { ...provider, defaultCacheDuration: undefined }, /defaultCacheDuration: Required value/],
    ["no audience", { ...provider, tokenAttributes: {} }, /serviceAccountTokenAudience: Required value/],
    ["no cache type", { ...provider, tokenAttributes: { ...token, cacheType: undefined } }, /cacheType/],
    [
      "required annotations without an account",
      {
        ...provider,
        tokenAttributes: { ...token, requireServiceAccount: false, requiredServiceAccountAnnotationKeys: ["a"] },
      },
      /cannot be false when/,
    ],
  ] as const)
    it(`is refused with ${what}`, () =>
      assert.throws(() => parseCredentialProviders([config(...(bad === undefined ? [] : [bad]))]), message));

  it("is refused twice under one name", () => {
    assert.throws(() => parseCredentialProviders([config(provider), config(provider)]), /Duplicate value: "p"/);
  });
});
