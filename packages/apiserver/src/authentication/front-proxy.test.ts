import assert from "node:assert/strict";
import { connect } from "node:http2";
import { Agent, request } from "node:https";
import { test } from "node:test";
import { isJsonObject } from "@skiff/base";
import { type TestPair, testAuthority } from "../fixtures/test-certificates.ts";
import { testSetup } from "../fixtures/test-client.ts";
import { testServer } from "../fixtures/test-server.ts";

test("over TLS, certificates of the front proxy's authority speak for others, and those of clients do not", async () => {
  await using server = await testServer({ requestHeader: { allowedNames: ["front-proxy-client"] } });
  const [clients, proxies, strangers] = await Promise.all(["clients", "proxies", "strangers"].map(testAuthority));
  assert.ok(clients && proxies && strangers);
  const listener = await server.listen({
    host: "127.0.0.1",
    port: 0,
    tls: { ...(await clients.server()), ca: clients.ca },
    frontProxyAuthority: proxies.ca,
  });
  const headers = { "x-remote-user": "alice", "x-remote-group": "system:masters" };
  const whoAmI = async (pair: TestPair): Promise<string> => {
    const agent = new Agent({ ...pair, ca: clients.ca });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const place = { host: "127.0.0.1", port: listener.port, path, agent, method: "POST" };
    const sent = request({ ...place, headers: { ...headers, "content-type": "application/json" } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject).end("{}");
    const answer: unknown = JSON.parse(await promise);
    agent.destroy();
    const { status, code } = isJsonObject(answer) ? answer : {};
    const user = isJsonObject(status) && isJsonObject(status.userInfo) ? status.userInfo.username : undefined;
    return String(user ?? code);
  };
  assert.equal(await whoAmI(await proxies.client("front-proxy-client", [])), "alice");
  assert.equal(await whoAmI(await proxies.client("other", ["system:masters"])), "401");
  assert.equal(await whoAmI(await clients.client("front-proxy-client", ["system:masters"])), "front-proxy-client");
  assert.equal(await whoAmI(await strangers.client("front-proxy-client", [])), "401");
});

test("groups may have commas, by either protocol", async () => {
  await using setup = await testSetup();
  const groups = ["cn=ops,ou=it", "dev"];
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const expected = [...groups, "system:authenticated"];
  const roles = { metadata: { name: "all" }, rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] };
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const apiGroup = "rbac.authorization.k8s.io";
  await setup.call(`${rbac}/clusterroles`, { method: "POST", body: roles });
  const roleRef = { apiGroup, kind: "ClusterRole", name: "all" };
  const subjects = [{ kind: "Group", apiGroup, name: "dev" }];
  await setup.call(`${rbac}/clusterrolebindings`, {
    method: "POST",
    body: { metadata: { name: "all" }, roleRef, subjects },
  });
  const read = async (chunks: AsyncIterable<unknown>): Promise<unknown> => {
    let text = "";
    for await (const chunk of chunks) text += String(chunk);
    const answer: unknown = JSON.parse(text);
    const status = isJsonObject(answer) ? answer.status : undefined;
    return isJsonObject(status) && isJsonObject(status.userInfo) ? status.userInfo.groups : answer;
  };
  const headers = { "impersonate-user": "alice", "impersonate-group": groups, "content-type": "application/json" };
  const byHttp1 = new Promise<AsyncIterable<unknown>>((resolve, reject) => {
    request({ ...setup.place, path, method: "POST", headers }, resolve)
      .on("error", reject)
      .end("{}");
  });
  assert.deepEqual(await read(await byHttp1), expected);
  const session = connect(`https://127.0.0.1:${setup.listener.port}`, { ca: setup.authority.ca, ...setup.admin });
  const stream = session.request({ ":path": path, ":method": "POST", ...headers });
  stream.end("{}");
  assert.deepEqual(await read(stream), expected);
  session.close();
});
