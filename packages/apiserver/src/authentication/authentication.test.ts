import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { ClusterRoleBindings, ClusterRoles, Pods, ServiceAccounts, StatusError } from "@skiff/api";
import { seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import type { UserInfo } from "../contracts.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta, writeContext } from "../fixtures/objects.ts";
import { serviceAccountToken } from "../subresources/service-account-token.ts";
import { bootstrapTokens } from "./bootstrap-tokens.ts";
import { Impersonation } from "./impersonation.ts";
import { type AnonymousRule, RequestAuthenticator } from "./request-authenticator.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { audienceAgnostic, TokenUnion } from "./token-authenticator.ts";
import { TokenKeys } from "./token-keys.ts";

const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const issuer = "https://kubernetes.default.svc.cluster.local";

function parts(anonymous: AnonymousRule = false) {
  const clock = new VirtualClock();
  const keys = new TokenKeys(privateKey);
  const web = {
    metadata: namespacedMeta("web"),
    spec: {
      serviceAccountName: "robot",
      nodeName: "n1",
      containers: [],
      volumes: [{ name: "access", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
    },
  };
  const table = fakeTable([
    [ServiceAccounts, [{ metadata: namespacedMeta("robot") }, { metadata: namespacedMeta("other") }]],
    [Pods, [web]],
    [
      ClusterRoles,
      [
        {
          metadata: clusterMeta("i"),
          rules: [{ verbs: ["impersonate"], apiGroups: [""], resources: ["users"], resourceNames: ["bob"] }],
        },
      ],
    ],
    [
      ClusterRoleBindings,
      [
        {
          metadata: clusterMeta("i"),
          roleRef: { kind: "ClusterRole", name: "i" },
          subjects: [{ kind: "User", name: "alice" }],
        },
      ],
    ],
  ]);
  const audiences = [issuer];
  const known = new Map([["secret", { name: "static", groups: ["g"] }]]);
  const accounts = new ServiceAccountTokens({
    keys,
    issuers: [issuer, "https://old.example.com"],
    audiences,
    table,
    clock,
  });
  const tokens = new TokenUnion([
    audienceAgnostic(audiences, (token) => known.get(token)),
    bootstrapTokens({ table, clock, audiences }),
    accounts,
  ]);
  const authenticator = new RequestAuthenticator({
    tokens,
    audiences,
    anonymous,
    requestHeader: { allowedNames: ["proxy"] },
    clock,
    impersonation: new Impersonation(new RbacAuthorizer(table)),
    logger: silentLogger,
  });
  const authorizer = new RbacAuthorizer(table);
  const issue = serviceAccountToken({
    table,
    keys,
    authorizer,
    issuer,
    audiences: [issuer],
    clock,
    random: seededRandom(1),
  });
  const ask = async (
    headers: Record<string, string>,
    commonName?: string,
    organizations: string[] = [],
    proxied = false,
  ) =>
    authenticator.authenticate(
      {
        headers,
        headerValues: (header) => headers[header]?.split("\n") ?? [],
        path: "/api",
        clientCertificate:
          commonName === undefined
            ? undefined
            : { commonName, organizations, fingerprint: "f", expiresMs: clock.now() + 60_000, isFrontProxy: proxied },
      },
      { kind: "path", verb: "get", path: "/api" },
    );
  const request = (spec: object, name = "robot") => issueAs(writeContext.user, spec, name);
  const issueAs = async (user: UserInfo, spec: object, name = "robot"): Promise<string> => {
    const body = JSON.parse(JSON.stringify({ spec }));
    const made = await issue.handleObject?.({
      verb: "create",
      ref: { namespace: "default", name },
      body,
      context: { ...writeContext, user },
    });
    const text = JSON.parse(JSON.stringify(made)).status.token;
    assert(typeof text === "string");
    return text;
  };
  return { clock, table, ask, request, issueAs };
}

const refusal = async (asked: Promise<unknown>): Promise<string> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof StatusError);
  return `${error.code} ${error.message}`;
};

test("who asks", async () => {
  const { ask } = parts();
  assert.deepEqual(await ask({}, "alice", ["dev"]), {
    name: "alice",
    groups: ["dev", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=f"] },
  });
  assert.deepEqual(await ask({ authorization: "Bearer secret" }), {
    name: "static",
    groups: ["g", "system:authenticated"],
  });
  const encoded = Buffer.from("secret").toString("base64url");
  assert.equal(
    (await ask({ "sec-websocket-protocol": `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${encoded}` }))
      ?.name,
    "static",
  );
  assert.equal(await refusal(ask({ authorization: "Bearer wrong" })), "401 Unauthorized");
  assert.equal(await ask({}), undefined);
  assert.deepEqual(await parts(true).ask({}), { name: "system:anonymous", groups: ["system:unauthenticated"] });
});

test("service-account tokens", async () => {
  const { ask, request, clock, table } = parts();
  const token = await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "web", uid: "uid-web" } });
  const headers = { authorization: `Bearer ${token}` };
  const user = await ask(headers);
  assert.equal(user?.name, "system:serviceaccount:default:robot");
  assert.equal(user?.uid, "uid-robot");
  assert.deepEqual(user?.groups, ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
  assert.deepEqual(user?.extra?.["authentication.kubernetes.io/pod-name"], ["web"]);
  assert.deepEqual(user?.extra?.["authentication.kubernetes.io/node-name"], ["n1"]);
  const [head, , signature] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ sub: "system:serviceaccount:kube-system:root" })).toString("base64url");
  assert.equal(await refusal(ask({ authorization: `Bearer ${head}.${forged}.${signature}` })), "401 Unauthorized");
  const elsewhere = await request({ audiences: ["vault"] });
  assert.equal(await refusal(ask({ authorization: `Bearer ${elsewhere}` })), "401 Unauthorized");
  await clock.advance(3_599_000);
  assert.equal((await ask(headers))?.name, "system:serviceaccount:default:robot");
  await clock.advance(2000);
  assert.equal(await refusal(ask(headers)), "401 Unauthorized");
  const next = { authorization: `Bearer ${await request({})}` };
  assert.ok(await ask(next));
  await table.of(ServiceAccounts).delete({ namespace: "default", name: "robot" }, {}, writeContext);
  assert.equal(await refusal(ask(next)), "401 Unauthorized");
});

test("token requests that are refused", async () => {
  const { request } = parts();
  assert.match(
    await refusal(request({ expirationSeconds: 60 })),
    /^422 .*spec\.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes$/,
  );
  assert.match(await refusal(request({}, "nobody")), /^404 serviceaccounts "nobody" not found$/);
  const pod = { kind: "Pod", apiVersion: "v1", name: "web" };
  assert.match(await refusal(request({ boundObjectRef: { ...pod, uid: "old" } })), /^409 /);
  assert.match(
    await refusal(request({ boundObjectRef: pod }, "other")),
    /^400 cannot bind token for serviceaccount "other" to pod running with different serviceaccount name\.$/,
  );
});

test("impersonation", async () => {
  const { ask } = parts();
  assert.deepEqual(await ask({ "impersonate-user": "bob" }, "alice"), {
    name: "bob",
    groups: ["system:authenticated"],
  });
  assert.equal(
    await refusal(ask({ "impersonate-user": "eve" }, "alice")),
    '403 users "eve" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  assert.match(
    await refusal(ask({ "impersonate-user": "bob", "impersonate-group": "system:masters" }, "alice")),
    /^403 groups "system:masters"/,
  );
  assert.match(await refusal(ask({ "impersonate-group": "g" }, "alice")), /without impersonating a user$/);
});

test("front proxies speak for others, and for nobody when they say nothing", async () => {
  const { ask } = parts(true);
  const remote = {
    "x-remote-user": "bob",
    "x-remote-uid": "7",
    "x-remote-group": "dev\ncn=ops,ou=it",
    "x-remote-extra-example.com%2fteam": "blue",
  };
  assert.deepEqual(await ask(remote, "proxy", [], true), {
    name: "bob",
    uid: "7",
    groups: ["dev", "cn=ops,ou=it", "system:authenticated"],
    extra: { "example.com/team": ["blue"] },
  });
  assert.equal(await refusal(ask({}, "proxy", [], true)), "401 Unauthorized");
  assert.equal(await refusal(ask(remote, "other", [], true)), "401 Unauthorized");
  assert.equal((await ask({ ...remote, authorization: "Bearer secret" }, "other", [], true))?.name, "static");
  assert.equal((await ask(remote, "alice"))?.name, "alice", "others' headers count for nothing");
  assert.equal((await ask(remote))?.name, "system:anonymous");
});

test("anonymous requests for some paths alone", async () => {
  assert.equal((await parts({ paths: ["/api"] }).ask({}))?.name, "system:anonymous");
  assert.equal(await parts({ paths: ["/healthz"] }).ask({}), undefined);
});

test("kubelets ask for tokens of their pods alone", async () => {
  const { issueAs } = parts();
  const kubelet = { name: "system:node:n1", groups: ["system:nodes"] };
  const pod = { kind: "Pod", apiVersion: "v1", name: "web", uid: "uid-web" };
  const forbidden = 'serviceaccounts "robot" is forbidden: node requested token';
  assert.ok(await issueAs(kubelet, { boundObjectRef: pod }));
  assert.equal(await refusal(issueAs(kubelet, {})), `403 ${forbidden} not bound to a pod`);
  const { uid: _uid, ...nameless } = pod;
  assert.equal(
    await refusal(issueAs(kubelet, { boundObjectRef: nameless })),
    `403 ${forbidden} with a pod binding without a uid`,
  );
  assert.equal(
    await refusal(issueAs({ ...kubelet, name: "system:node:n2" }, { boundObjectRef: pod })),
    `403 ${forbidden} bound to a pod scheduled on a different node`,
  );
});
