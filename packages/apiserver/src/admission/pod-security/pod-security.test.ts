import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, Namespaces, type Pod, Pods, StatusError } from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import { admissionRequest } from "../../fixtures/admission-request.ts";
import { fakeTable } from "../../fixtures/fake-table.ts";
import { alice, clusterMeta, namespacedMeta } from "../../fixtures/objects.ts";
import { type PodSecurityConfiguration, podSecurity } from "./pod-security.ts";

const label = (mode: string, level: string) => ({ [`pod-security.kubernetes.io/${mode}`]: level });

const pod = (name: string, privileged: boolean, owner?: string): Pod => ({
  metadata: {
    ...namespacedMeta(name, "strict"),
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true }],
        }),
  },
  spec: { containers: [{ name: "a", image: "x", securityContext: { privileged } }] },
  status: {},
});

const table = fakeTable([
  [
    Namespaces,
    [
      { metadata: clusterMeta("default") },
      { metadata: clusterMeta("strict", label("enforce", "baseline")) },
      {
        metadata: clusterMeta("loud", {
          ...label("warn", "baseline"),
          ...label("audit", "baseline"),
          ...label("warn-version", "v1.25"),
        }),
      },
      { metadata: clusterMeta("wrong", label("enforce", "harsh")) },
    ],
  ],
  [Pods, [pod("fine", false), pod("p1", true, "rs"), pod("p2", true, "rs"), pod("p3", true, "rs")]],
]);

/** What comes of a request: the refusal, then the warnings, then the annotations of the audit log. */
function outcome(request: Partial<AdmissionRequest>, configuration?: PodSecurityConfiguration): string[] {
  const said: string[] = [];
  const notes: string[] = [];
  const whole = admissionRequest({
    name: "web",
    warn: (text) => said.push(`warning: ${text}`),
    annotate: (key, text) => notes.push(`${key}: ${text}`),
    ...request,
  });
  try {
    podSecurity(table, configuration).validate?.(whole);
  } catch (error) {
    assert(error instanceof StatusError);
    said.push(`${error.code} ${error.message}`);
  }
  return [...said, ...notes];
}

const violated = 'privileged (container "a" must not set securityContext.privileged=true)';
const bad = pod("web", true);

test("pods are refused, warned of, noted, as their namespace says", () => {
  assert.deepEqual(outcome({ object: bad }), []);
  assert.deepEqual(outcome({ namespace: "strict", object: pod("web", false) }), [
    "pod-security.kubernetes.io/enforce-policy: baseline:latest",
  ]);
  assert.deepEqual(outcome({ namespace: "strict", object: bad }), [
    `403 pods "web" is forbidden: violates PodSecurity "baseline:latest": ${violated}`,
    "pod-security.kubernetes.io/enforce-policy: baseline:latest",
  ]);
  assert.deepEqual(outcome({ namespace: "loud", object: bad }), [
    `warning: would violate PodSecurity "baseline:v1.25": ${violated}`,
    "pod-security.kubernetes.io/enforce-policy: privileged:latest",
    `pod-security.kubernetes.io/audit-violations: would violate PodSecurity "baseline:latest": ${violated}`,
  ]);
  assert.match(
    outcome({ namespace: "wrong", object: pod("web", false) })[0] ?? "",
    /violates PodSecurity "restricted:latest": allow/,
  );
});

test("updates count when they change what is judged", () => {
  const update = { operation: "UPDATE", namespace: "strict" } as const;
  assert.deepEqual(outcome({ ...update, object: bad, oldObject: bad }), []);
  const before: Pod = { ...bad, spec: { containers: [{ name: "a", image: "y" }] } };
  assert.match(outcome({ ...update, object: bad, oldObject: before })[0] ?? "", /^403 /);
  assert.deepEqual(outcome({ ...update, subresource: "status", object: bad, oldObject: before }), []);
});

test("workloads are warned of what their pods would be refused for", () => {
  const workload = {
    metadata: namespacedMeta("web", "strict"),
    spec: { selector: {}, template: { spec: bad.spec } },
    status: {},
  };
  assert.deepEqual(outcome({ resource: Deployments, namespace: "strict", object: workload }), [
    `warning: would violate PodSecurity "baseline:latest": ${violated}`,
  ]);
  assert.deepEqual(outcome({ resource: Deployments, namespace: "default", object: workload }), []);
});

test("exemptions and other defaults", () => {
  const request = { namespace: "strict", object: bad };
  assert.deepEqual(outcome(request, { exemptions: { usernames: [alice.name] } }), []);
  assert.deepEqual(outcome(request, { exemptions: { namespaces: ["strict"] } }), []);
  const enclosed = { ...bad, spec: { ...bad.spec, runtimeClassName: "vm" } };
  assert.deepEqual(outcome({ ...request, object: enclosed }, { exemptions: { runtimeClasses: ["vm"] } }), []);
  const everywhere = { level: "baseline", version: "latest" } as const;
  const defaults = { enforce: everywhere, audit: everywhere, warn: everywhere };
  assert.match(outcome({ object: bad }, { defaults })[0] ?? "", /^403 /);
});

test("labels of namespaces are checked, and pods that are there are told of", () => {
  const make = (labels: Record<string, string>, old?: Record<string, string>) =>
    outcome({
      resource: Namespaces,
      name: "strict",
      operation: old === undefined ? "CREATE" : "UPDATE",
      object: { metadata: clusterMeta("strict", labels) },
      oldObject: old === undefined ? undefined : { metadata: clusterMeta("strict", old) },
    });
  assert.deepEqual(make(label("enforce", "restricted")), []);
  assert.deepEqual(make({ ...label("enforce", "x"), ...label("warn-version", "1.2") }), [
    '422 Namespace "strict" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
  ]);
  assert.deepEqual(make(label("enforce", "x"), label("enforce", "x")), []);
  assert.deepEqual(make(label("enforce", "baseline"), {}), [
    'warning: existing pods in namespace "strict" violate the new PodSecurity enforce level "baseline:latest"',
    "warning: p1 (and 2 other pods): privileged",
  ]);
  assert.deepEqual(make(label("enforce", "baseline"), label("enforce", "restricted")), []);
});
