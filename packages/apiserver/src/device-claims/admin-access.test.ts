import assert from "node:assert/strict";
import { test } from "node:test";
import { Namespaces } from "@skiff/api";
import { fakeTable } from "../fixtures/fake-table.ts";
import { testSetup } from "../fixtures/test-client.ts";
import { requestedAdminAccess } from "./admin-access.ts";

const requests = [
  { name: "plain", exactly: { deviceClassName: "gpu" } },
  { name: "looks", exactly: { deviceClassName: "gpu", adminAccess: true } },
];
const claim = { devices: { requests } };
const why =
  "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace";
const field = "spec.devices.requests[1].adminAccess";
const kinds = [
  ["ResourceClaim", "resourceclaims", claim],
  ["ResourceClaimTemplate", "resourceclaimtemplates", { spec: claim }],
] as const;

test("claims and templates ask for admin access in marked namespaces only", async () => {
  await using setup = await testSetup();
  const label = (value: string | null) =>
    setup.call("/api/v1/namespaces/default", {
      method: "PATCH",
      headers: { "content-type": "application/merge-patch+json" },
      body: { metadata: { labels: { "resource.kubernetes.io/admin-access": value } } },
    });
  for (const [kind, plural, spec] of kinds) {
    const path = `/apis/resource.k8s.io/v1/namespaces/default/${plural}`;
    const post = (name: string, body: object = spec) =>
      setup.call(path, { method: "POST", body: { metadata: { name }, spec: body } });
    for (const value of [null, "True", "false"]) {
      assert.equal((await label(value)).status, 200);
      const refused = await post("looks");
      assert.equal(refused.status, 422, refused.text);
      assert.equal(refused.json.reason, "Invalid");
      assert.equal(refused.json.message, `${kind}.resource.k8s.io "looks" is invalid: ${field}: Forbidden: ${why}`);
      assert.deepEqual(refused.json.details, {
        name: "looks",
        group: "resource.k8s.io",
        kind,
        causes: [{ reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field }],
      });
    }
    // This comes before all else that is wrong.
    const wrong = await post("Looks");
    assert.match(
      String(wrong.json.message),
      /is invalid: \[spec\.devices\.requests\[1\]\.adminAccess: .*, metadata\.name: /,
    );
    assert.equal((await label("true")).status, 200);
    const made = await post("looks");
    assert.equal(made.status, 201, made.text);
    // What there is stays, and may be changed.
    assert.equal((await label(null)).status, 200);
    const changed = await setup.call(`${path}/looks`, {
      method: "PATCH",
      headers: { "content-type": "application/merge-patch+json" },
      body: { metadata: { labels: { a: "b" } } },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await post("plain", { ...noAdmin(kind) })).status, 201);
  }
});

const noAdmin = (kind: string): object => {
  const plain = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu", adminAccess: false } }] } };
  return kind === "ResourceClaim" ? plain : { spec: plain };
};

const status = (adminAccess: boolean) => ({
  allocation: {
    devices: { results: [{ request: "r", driver: "a.example.com", pool: "p", device: "d", adminAccess }] },
  },
});

test("claims are given admin access in marked namespaces only, and keep it", async () => {
  await using setup = await testSetup();
  const path = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims";
  const spec = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu" } }] } };
  assert.equal((await setup.call(path, { method: "POST", body: { metadata: { name: "c" }, spec } })).status, 201);
  const merge = (url: string, body: object) =>
    setup.call(url, { method: "PATCH", headers: { "content-type": "application/merge-patch+json" }, body });
  const refused = await merge(`${path}/c/status`, { status: status(true) });
  assert.equal(refused.status, 422, refused.text);
  assert.equal(
    refused.json.message,
    `ResourceClaim.resource.k8s.io "c" is invalid: status.allocation.devices.results[0].adminAccess: Forbidden: ${why}`,
  );
  const label = (value: string | null) =>
    merge("/api/v1/namespaces/default", { metadata: { labels: { "resource.kubernetes.io/admin-access": value } } });
  await label("true");
  const given = await merge(`${path}/c/status`, { status: status(true) });
  assert.equal(given.status, 200, given.text);
  await label(null);
  const reservedFor = [{ resource: "pods", name: "p", uid: "1" }];
  const kept = await merge(`${path}/c/status`, { status: { reservedFor } });
  assert.equal(kept.status, 200, kept.text);
});

test("admin access in a namespace that is not there", async () => {
  const detail = 'could not retrieve namespace to verify admin access: namespaces "gone" not found';
  assert.deepEqual(await requestedAdminAccess(requests, "gone", fakeTable([[Namespaces, []]])), [
    { kind: "internal", field, detail },
  ]);
});
