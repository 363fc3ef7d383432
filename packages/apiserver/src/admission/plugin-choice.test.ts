import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Deployments,
  type KubeObject,
  type Pod,
  Pods,
  ReplicaSets,
  type ResourceDefinition,
  Services,
  StatusError,
} from "@skiff/api";
import { seededRandom, systemClock } from "@skiff/base";
import { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import type { AdmissionRequest } from "../contracts.ts";
import { admissionRequest, firstRound, noWebhooks } from "../fixtures/admission-request.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { namespacedMeta } from "../fixtures/objects.ts";
import { ownerReferencesPermissionEnforcement } from "./optional/owner-references.ts";
import { type AdmissionChoice, admissionPlugins, optionalPlugins } from "./plugin-choice.ts";
import { PolicyMetrics } from "./policies/policy-metrics.ts";
import { allPlugins, registryRules, standardAdmission } from "./standard-admission.ts";

const table = fakeTable([], [Pods, ReplicaSets, Deployments]);
const rbac = new RbacAuthorizer(table);
const sources = (choice: AdmissionChoice = {}) => ({
  table,
  clock: systemClock,
  random: seededRandom(1),
  escalation: { rbac, authorizer: rbac },
  webhooks: noWebhooks,
  policyMetrics: new PolicyMetrics(),
  choice,
});
const namesOf = (choice?: AdmissionChoice) =>
  standardAdmission(sources(choice))
    .map(({ name }) => name)
    .filter((name) => !registryRules.has(name));

test("the usual plugins are on, in Kubernetes' order, others when they are asked for", () => {
  const all = allPlugins(sources()).map(({ name }) => name);
  assert.deepEqual(
    all.filter((name) => !registryRules.has(name)),
    admissionPlugins,
  );
  assert.deepEqual(
    namesOf(),
    admissionPlugins.filter((name) => !optionalPlugins.has(name)),
  );
  assert.deepEqual(namesOf({ enabled: [...optionalPlugins] }), admissionPlugins);
  assert(!namesOf({ disabled: ["PodSecurity"] }).includes("PodSecurity"));
});

async function run(name: string, request: Partial<AdmissionRequest>): Promise<string> {
  const plugin = allPlugins(sources()).find((one) => one.name === name);
  const whole = admissionRequest({ name: "web", ...request });
  try {
    await plugin?.admit?.(whole, firstRound);
    await plugin?.validate?.(whole);
    return "";
  } catch (error) {
    assert(error instanceof StatusError);
    return error.message.replace(/^.* is forbidden: /, "");
  }
}

const pod = (spec: Partial<Pod["spec"]> = {}): Pod => ({
  metadata: namespacedMeta("web"),
  spec: { containers: [{ name: "a", imagePullPolicy: "Never" }], ...spec },
  status: {},
});

test("images are always pulled", async () => {
  const object = pod();
  assert.equal(await run("AlwaysPullImages", { object }), "");
  assert.equal(object.spec.containers[0]?.imagePullPolicy, "Always");
});

test("devices are tolerated", async () => {
  const resources = { requests: { cpu: "1", "example.com/gpu": "1" } };
  const object = pod({ containers: [{ name: "a", resources }] });
  await run("ExtendedResourceToleration", { object });
  await run("ExtendedResourceToleration", { object });
  assert.deepEqual(object.spec.tolerations, [{ key: "example.com/gpu", operator: "Exists" }]);
});

test("external addresses may stay, not come", async () => {
  const service = (...externalIPs: string[]) => ({
    metadata: namespacedMeta("web"),
    spec: { externalIPs },
    status: {},
  });
  const asked = (object: KubeObject, oldObject?: KubeObject, resource: ResourceDefinition = Services) =>
    run("DenyServiceExternalIPs", {
      resource,
      object,
      oldObject,
      operation: oldObject === undefined ? "CREATE" : "UPDATE",
    });
  assert.equal(await asked(service("1.2.3.4")), "Use of external IPs is denied by admission control");
  assert.equal(await asked(service("1.2.3.4"), service("1.2.3.4", "1.1.1.1")), "");
});

test("who makes an object depend on another must be allowed to", async () => {
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: "u", blockOwnerDeletion: true };
  const owned = (more: object) => ({
    ...pod(),
    metadata: { ...namespacedMeta("web"), ownerReferences: [{ ...owner, ...more }] },
  });
  const decided = async (object: Pod, allowed: readonly string[]): Promise<string> => {
    const plugin = ownerReferencesPermissionEnforcement(table, {
      authorize: ({ request }) => {
        assert(request.kind === "resource");
        const asked = [request.verb, request.plural, request.subresource].filter(Boolean).join(" ");
        return allowed.includes(asked) ? { kind: "allowed", reason: "" } : { kind: "noOpinion", reason: "" };
      },
    });
    const outcome: unknown = await Promise.resolve(
      plugin.validate?.(admissionRequest({ operation: "UPDATE", name: "web", object, oldObject: pod() })),
    ).catch((error: unknown) => error);
    return outcome instanceof StatusError ? outcome.message.replace(/^.* is forbidden: /, "") : "";
  };
  assert.equal(await decided(pod(), []), "");
  assert.equal(await decided(owned({}), []), "cannot set an ownerRef on a resource you can't delete: , <nil>");
  assert.equal(
    await decided(owned({}), ["delete pods"]),
    "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
  );
  assert.equal(await decided(owned({ blockOwnerDeletion: false }), ["delete pods"]), "");
  assert.equal(await decided(owned({}), ["delete pods", "update replicasets finalizers"]), "");
  assert.match(
    await decided(owned({ kind: "Other" }), ["delete pods"]),
    /cannot find RESTMapping for APIVersion apps\/v1 Kind Other/,
  );
});
