import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { userOfClaims } from "@skiff/apiserver";
import { silentLogger, systemClock } from "@skiff/base";
import { ClusterError } from "../settings/settings.ts";
import type { ApiServerFlags } from "./api-server-flags.ts";
import { parseAuthentication } from "./authentication-configuration.ts";
import { parseAuthorization } from "./authorization-configuration.ts";
import { durationMs } from "./config-file.ts";
import { identityOptions } from "./identity-options.ts";

const defaults = { issuer: "https://cluster", privateKey: "own" };

async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  work: (read: (flags: ApiServerFlags) => ReturnType<typeof identityOptions>, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-identity-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const placed = (flags: ApiServerFlags): ApiServerFlags =>
      Object.fromEntries(
        Object.entries(flags).map(([name, values]): [string, string[]] => [
          name,
          values.map((value) => (value in files ? join(folder, value) : value)),
        ]),
      );
    const read = (flags: ApiServerFlags) =>
      identityOptions(defaults, { flags: placed(flags), clock: systemClock, logger: silentLogger });
    return await work(read, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1/authorize"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

test("options of service accounts: issuers, keys, audiences", () =>
  withFiles({ "old.pem": "old", "new.pem": "new" }, async (read) => {
    assert.deepEqual((await read({})).serviceAccounts, {
      issuer: "https://cluster",
      otherIssuers: [],
      privateKey: "own",
      verificationKeys: [],
    });
    const { serviceAccounts } = await read({
      "service-account-issuer": ["https://new", "https://old"],
      "service-account-key-file": ["old.pem"],
      "service-account-signing-key-file": ["new.pem"],
      "api-audiences": ["api,vault"],
      "service-account-jwks-uri": ["https://new/keys"],
    });
    assert.deepEqual(serviceAccounts, {
      issuer: "https://new",
      otherIssuers: ["https://old"],
      privateKey: "new",
      verificationKeys: ["old", "own"],
      audiences: ["api", "vault"],
      jwksUri: "https://new/keys",
    });
  }));

test("tokens, anonymous requests and who decides", () =>
  withFiles(
    {
      "tokens.csv": "t,alice,1,dev\n",
      "authn.yaml":
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {enabled: true, conditions: [{path: /livez}]}\n",
      "authz.yaml": "",
      kubeconfig,
    },
    async (read, folder) => {
      const { staticTokens } = await read({ "token-auth-file": ["tokens.csv"] });
      assert.deepEqual([...(staticTokens ?? [])], [["t", { name: "alice", uid: "1", groups: ["dev"] }]]);
      assert.equal((await read({})).anonymous, true);
      assert.equal((await read({ "anonymous-auth": ["false"] })).anonymous, false);
      assert.deepEqual((await read({ "authentication-config": ["authn.yaml"] })).anonymous, { paths: ["/livez"] });
      assert.deepEqual((await read({ "authorization-mode": ["RBAC,Node"] })).authorizers, ["RBAC", "Node"]);
      const modes = { "authorization-mode": ["Webhook"], "authorization-webhook-config-file": ["kubeconfig"] };
      assert.equal(typeof (await read(modes)).authorizers?.[0], "object");
      const oidc = { "oidc-issuer-url": ["https://issuer"], "oidc-client-id": ["skiff"] };
      assert.equal((await read(oidc)).tokenAuthenticators?.length, 1);
      const webhook = { "authentication-token-webhook-config-file": ["kubeconfig"] };
      assert.equal((await read(webhook)).tokenAuthenticators?.length, 1);
      const text = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: RBAC, name: rbac}
- type: Webhook
  name: w
  webhook: {failurePolicy: Deny, authorizedTTL: 1m, connectionInfo: {type: KubeConfigFile, kubeConfigFile: ${join(folder, "kubeconfig")}}}
`;
      await writeFile(join(folder, "authz.yaml"), text);
      const { authorizers = [] } = await read({ "authorization-config": ["authz.yaml"] });
      assert.deepEqual([authorizers[0], typeof authorizers[1]], ["RBAC", "object"]);
    },
  ));

test("what is wrong is told by the option's name", () =>
  withFiles({ "x.yaml": "kind: Other\n", "t.csv": "a,b" }, async (read) => {
    const cases: readonly (readonly [flags: ApiServerFlags, message: RegExp])[] = [
      [{ "token-auth-file": ["/nowhere"] }, /^--token-auth-file: cannot read \/nowhere: ENOENT/],
      [{ "token-auth-file": ["t.csv"] }, /^--token-auth-file: line 1 of the token file has less than 3 columns/],
      [{ "authentication-config": ["x.yaml"] }, /is no AuthenticationConfiguration of apiserver\.config\.k8s\.io\/v1$/],
      [{ "authorization-mode": ["RBAC,Magic"] }, /^--authorization-mode: Magic is not one of/],
      [{ "authorization-mode": ["Webhook"] }, /needs --authorization-webhook-config-file$/],
      [{ "oidc-issuer-url": ["https://issuer"] }, /^--oidc-client-id: must be given with --oidc-issuer-url$/],
      [{ "oidc-issuer-url": ["http://issuer"], "oidc-client-id": ["c"] }, /the scheme must be https$/],
      [
        { "oidc-issuer-url": ["https://i"], "oidc-client-id": ["c"], "oidc-required-claim": ["x"] },
        /^--oidc-required-claim: "x" is not KEY=VALUE$/,
      ],
    ];
    for (const [flags, message] of cases) {
      const error = await read(flags).catch((reason: unknown) => reason);
      assert.ok(error instanceof ClusterError, JSON.stringify(flags));
      assert.match(error.message, message);
    }
  }));

test("issuers of an AuthenticationConfiguration", () => {
  const jwt = (change: object) => ({
    jwt: [
      {
        issuer: { url: "https://issuer", audiences: ["a"] },
        claimMappings: { username: { claim: "sub", prefix: "x:" } },
        ...change,
      },
    ],
  });
  const [issuer] = parseAuthentication(
    jwt({ claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }] }),
  ).issuers;
  assert.deepEqual(
    [issuer?.url, issuer?.audiences, issuer?.username, issuer?.requiredClaims],
    ["https://issuer", ["a"], { claim: "sub", prefix: "x:" }, { hd: "example.com" }],
  );
  const cases: readonly (readonly [change: object, message: RegExp])[] = [
    [{ issuer: { url: "http://issuer", audiences: ["a"] } }, /jwt\[0\]\.issuer\.url: .*https$/],
    [{ issuer: { url: "https://issuer" } }, /jwt\[0\]\.issuer\.audiences: Required value/],
    [{ claimMappings: {} }, /jwt\[0\]\.claimMappings\.username: Required value/],
    [
      { claimValidationRules: [{ expression: "1" }] },
      /claimValidationRules\[0\]\.expression: Invalid value: "1": must evaluate to bool$/,
    ],
    [
      { claimMappings: { username: { expression: "claims." } } },
      /username\.expression: Invalid value: "claims\.": compilation failed: ERROR: /,
    ],
    [
      { claimMappings: { username: { expression: "claims.email" } } },
      /claims\.email_verified must be used in claimMappings\.username\.expression/,
    ],
    [
      { claimMappings: { username: { claim: "a", expression: "claims.a" } } },
      /username: Invalid value: claim and expression can't both be set$/,
    ],
  ];
  for (const [change, message] of cases) assert.throws(() => parseAuthentication(jwt(change)), message);
});

test("durations", () => {
  assert.deepEqual(["0", "30s", "1h30m", "500ms", "1.5s", "5", "x"].map(durationMs), [
    0,
    30_000,
    5_400_000,
    500,
    1500,
    undefined,
    undefined,
  ]);
});

test("expressions make users of claims, and refuse some", () => {
  const claims = { sub: "42", team: "blue", roles: ["dev", ""], email: "a@example.com", email_verified: true };
  const config = {
    jwt: [
      {
        issuer: { url: "https://issuer", audiences: ["a"] },
        claimMappings: {
          username: { expression: "'x:' + claims.sub" },
          groups: { expression: "claims.roles" },
          uid: { expression: "claims.sub" },
          extra: [
            { key: "example.com/team", valueExpression: "claims.team" },
            { key: "example.com/none", valueExpression: "claims.?nothing.orValue('')" },
          ],
        },
        claimValidationRules: [{ expression: "claims.team != 'red'", message: "no reds" }],
        userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: "not the system" }],
      },
    ],
  };
  const [issuer] = parseAuthentication(config).issuers;
  assert.ok(issuer);
  assert.deepEqual(userOfClaims(claims, issuer), {
    name: "x:42",
    uid: "42",
    groups: ["dev"],
    extra: { "example.com/team": ["blue"] },
  });
  assert.throws(
    () => userOfClaims({ ...claims, team: "red" }, issuer),
    /oidc: error evaluating claim validation expression: validation expression 'claims\.team != 'red'' failed: no reds$/,
  );
  assert.throws(
    () => userOfClaims({ sub: "1", roles: [] }, issuer),
    /oidc: error evaluating claim validation .*no such key: team/,
  );
  const { username: _username, ...rest } = issuer;
  const named = { ...rest, username: { claim: "sub", prefix: "" } };
  assert.throws(
    () => userOfClaims({ ...claims, sub: "system:masters" }, named),
    /user info validation rule: .*: not the system$/,
  );
});

test("conditions of a webhook's questions", () => {
  const webhook = (expression: string) => ({
    authorizers: [
      {
        type: "Webhook",
        name: "w",
        webhook: {
          failurePolicy: "Deny",
          connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "/x" },
          matchConditions: [{ expression }],
        },
      },
    ],
  });
  const [choice] = parseAuthorization(
    webhook("has(request.resourceAttributes) && request.resourceAttributes.namespace == 'a'"),
  );
  assert.ok(choice?.kind === "webhook" && choice.matches !== undefined);
  assert.equal(choice.matches({ user: "u", resourceAttributes: { namespace: "a", verb: "get" } }), true);
  assert.equal(choice.matches({ user: "u", resourceAttributes: { namespace: "b", verb: "get" } }), false);
  assert.equal(choice.matches({ user: "u", nonResourceAttributes: { path: "/" } }), false);
  assert.throws(
    () => parseAuthorization(webhook("request.nothing")),
    /matchConditions\[0\]\.expression: .*undefined field 'nothing'/,
  );
});
