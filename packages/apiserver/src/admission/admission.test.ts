import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type KubeObject,
  Namespaces,
  Nodes,
  type Pod,
  Pods,
  PriorityClasses,
  ServiceAccounts,
  StatusError,
} from "@skiff/api";
import { seededRandom, systemClock, VirtualClock } from "@skiff/base";
import { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import type { AdmissionRequest, ResourceTable } from "../contracts.ts";
import { admissionRequest, firstRound, noWebhooks } from "../fixtures/admission-request.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import { PolicyMetrics } from "./policies/policy-metrics.ts";
import { standardAdmission } from "./standard-admission.ts";

const escalationOf = (of: ResourceTable) => {
  const rbac = new RbacAuthorizer(of);
  return { rbac, authorizer: rbac };
};

const allocatable = { cpu: "2", memory: "1Gi" };
const table = fakeTable([
  [
    Namespaces,
    [
      { metadata: clusterMeta("default"), status: { phase: "Active" } },
      { metadata: clusterMeta("old"), status: { phase: "Terminating" } },
    ],
  ],
  [
    ServiceAccounts,
    [
      { metadata: namespacedMeta("default"), imagePullSecrets: [{ name: "pull" }] },
      { metadata: namespacedMeta("quiet"), automountServiceAccountToken: false },
      { metadata: namespacedMeta("loud"), automountServiceAccountToken: true },
      {
        metadata: {
          ...namespacedMeta("strict"),
          annotations: { "kubernetes.io/enforce-mountable-secrets": "true" },
        },
        secrets: [{ name: "known" }],
        imagePullSecrets: [{ name: "pull" }],
      },
    ],
  ],
  [
    Nodes,
    [
      { metadata: clusterMeta("old"), spec: {}, status: { allocatable } },
      { metadata: clusterMeta("n1"), spec: {}, status: { allocatable } },
      { metadata: { ...clusterMeta("glass"), labels: { "kubernetes.io/os": "windows" } }, spec: {} },
      {
        metadata: clusterMeta("able"),
        spec: {},
        status: { allocatable, declaredFeatures: ["InPlacePodLevelResourcesVerticalScaling"] },
      },
    ],
  ],
  [
    PriorityClasses,
    [
      { metadata: clusterMeta("high"), value: 1000, preemptionPolicy: "Never" },
      { metadata: clusterMeta("usual"), value: 5, globalDefault: true },
    ],
  ],
]);

const plugins = standardAdmission({
  table,
  clock: systemClock,
  random: seededRandom(7),
  escalation: escalationOf(table),
  webhooks: noWebhooks,
  policyMetrics: new PolicyMetrics(),
});

async function admit(request: Partial<AdmissionRequest>): Promise<void> {
  const whole = admissionRequest(request);
  for (const plugin of plugins) if (plugin.handles(whole)) await plugin.admit?.(whole, firstRound);
  for (const plugin of plugins) if (plugin.handles(whole)) await plugin.validate?.(whole);
}

const refusal = async (request: Partial<AdmissionRequest>): Promise<string> => {
  const error: unknown = await admit(request).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof StatusError, "it is admitted");
  return `${error.code} ${error.message}`;
};

const pod = (spec: Partial<NonNullable<Pod["spec"]>> = {}): Pod => ({
  kind: "Pod",
  metadata: namespacedMeta("web"),
  spec: { containers: [{ name: "a" }], ...spec },
  status: {},
});

const atWork = (nodeName: string, spec: Partial<NonNullable<Pod["spec"]>> = {}) =>
  pod({ nodeName, serviceAccountName: "quiet", ...spec });
const whole = { resources: { requests: { cpu: "1" } } };
const first = (cpu: string) => ({
  initContainers: [{ name: "first", image: "f", resources: { requests: { cpu } } }],
});
const notThere = (features: string, node: string) =>
  `403 pods "web" is forbidden: pod update requires features ${features} which are not available on node "${node}"`;
const [levels, inits] = ["InPlacePodLevelResourcesVerticalScaling", "InPlacePodVerticalScalingInitContainers"];

for (const [name, old, object, expected] of [
  ["a pod as a whole", atWork("old"), atWork("old", whole), notThere(levels, "old")],
  ["what runs first", atWork("able", first("1")), atWork("able", first("2")), notThere(inits, "able")],
  [
    "both",
    atWork("old", first("1")),
    atWork("old", { ...first("2"), ...whole }),
    notThere(`${levels}, ${inits}`, "old"),
  ],
  ["a pod where that can be done", atWork("able"), atWork("able", whole), undefined],
  ["a pod without a node", atWork(""), atWork("", whole), undefined],
  ["nothing of that", atWork("old", whole), atWork("old", { ...whole, activeDeadlineSeconds: 5 }), undefined],
  [
    "a pod of a node that is gone",
    atWork("gone"),
    atWork("gone", whole),
    `403 pods "web" is forbidden: node "gone" not found`,
  ],
] as const) {
  test(`nodes do what they have declared: a change of ${name}`, async () => {
    const request = { operation: "UPDATE", subresource: "resize", name: "web", object, oldObject: old } as const;
    if (expected === undefined) await admit(request);
    else assert.equal(await refusal(request), expected);
  });
}

const asking = (cpu: string, memory: string, nodeName: string) =>
  atWork(nodeName, { containers: [{ name: "a", resources: { requests: { cpu, memory } } }] });
const tooLittle = 'pods "web" is forbidden: node didn\'t have enough allocatable resources:';

for (const [name, object, expected, reason] of [
  ["what the node has", asking("2", "1Gi", "old")],
  [
    "more cpu",
    asking("2500m", "1Gi", "old"),
    `403 ${tooLittle} cpu, requested: 2500, allocatable: 2000`,
    "NodeCapacity",
  ],
  [
    "more of both",
    asking("3", "2Gi", "old"),
    `403 ${tooLittle} cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824`,
    "NodeCapacity",
  ],
  [
    "a node of another system",
    asking("1", "1Mi", "glass"),
    '403 pods "web" is forbidden: pod resize is only supported on linux nodes, node "glass" is "windows"',
    "UnsupportedPlatform",
  ],
] as const) {
  test(`pods ask for no more than nodes have: ${name}`, async () => {
    const oldObject = asking("1", "1Gi", object.spec.nodeName ?? "");
    const request = { operation: "UPDATE", subresource: "resize", name: "web", object, oldObject } as const;
    if (expected === undefined) return admit(request);
    assert.equal(await refusal(request), expected);
    await assert.rejects(admit(request), (error) => {
      assert(error instanceof StatusError);
      assert.deepEqual(error.status.details?.causes, [{ reason }]);
      return true;
    });
  });
}

test("a pod gets its account's token, tolerations and priority", async () => {
  const made = pod({
    initContainers: [
      { name: "i", volumeMounts: [{ name: "own", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }] },
    ],
  });
  await admit({ object: made });
  const { spec } = made;
  assert.equal(spec?.serviceAccountName, "default");
  const [volume] = spec?.volumes ?? [];
  assert.match(volume?.name ?? "", /^kube-api-access-[a-z0-9]{5}$/);
  assert.deepEqual(volume?.projected, {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
    defaultMode: 420,
  });
  const mount = { name: volume?.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
  assert.deepEqual(spec?.containers[0]?.volumeMounts, [mount]);
  assert.equal(spec?.initContainers?.[0]?.volumeMounts?.length, 1);
  assert.deepEqual(spec?.imagePullSecrets, [{ name: "pull" }]);
  assert.deepEqual(
    spec?.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
    [
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ],
  );
  assert.deepEqual(
    [spec?.priority, spec?.priorityClassName, spec?.preemptionPolicy],
    [5, "usual", "PreemptLowerPriority"],
  );
});

test("who mounts a token: the pod decides before its account", async () => {
  const cases: readonly (readonly [string, boolean | undefined, boolean])[] = [
    ["default", undefined, true],
    ["default", true, true],
    ["default", false, false],
    ["loud", undefined, true],
    ["loud", true, true],
    ["loud", false, false],
    ["quiet", undefined, false],
    ["quiet", true, true],
    ["quiet", false, false],
  ];
  for (const [serviceAccountName, automountServiceAccountToken, mounts] of cases) {
    const own = automountServiceAccountToken === undefined ? {} : { automountServiceAccountToken };
    const made = pod({ serviceAccountName, ...own });
    await admit({ object: made });
    assert.equal(
      (made.spec?.volumes ?? []).length === 1,
      mounts,
      `${serviceAccountName} ${automountServiceAccountToken}`,
    );
  }
});

test("an account may confine its pods to the Secrets that it names", async () => {
  const because = "is not allowed because service account strict does not reference that";
  const env = (name: string) => [{ name: "A", valueFrom: { secretKeyRef: { name, key: "k" } } }];
  const volume = (secretName: string) => [{ name: "v", secret: { secretName } }];
  const cases: readonly (readonly [Partial<Pod["spec"]>, string])[] = [
    [{ volumes: volume("other") }, `volume with secret.secretName="other" ${because} secret`],
    [
      { containers: [{ name: "a", env: env("other") }] },
      `container a with envVar A referencing secret.secretName="other" ${because} secret`,
    ],
    [
      { initContainers: [{ name: "i", envFrom: [{ secretRef: { name: "other" } }] }] },
      `init container i with envFrom referencing secret.secretName="other" ${because} secret`,
    ],
    [{ imagePullSecrets: [{ name: "other" }] }, `imagePullSecrets[0].name="other" ${because} imagePullSecret`],
  ];
  for (const [spec, expected] of cases) {
    const text = await refusal({ object: pod({ serviceAccountName: "strict", ...spec }) });
    assert(text.endsWith(expected), text);
  }
  await admit({ object: pod({ serviceAccountName: "strict", volumes: volume("known") }) });
});

test("refusals", async () => {
  const inOld = (object: KubeObject) => ({ object, namespace: "old", resource: Pods });
  const cases: readonly (readonly [Partial<AdmissionRequest>, RegExp])[] = [
    [{ object: pod(), namespace: "nowhere" }, /^404 namespaces "nowhere" not found$/],
    [
      inOld(pod()),
      /^403 pods "web" is forbidden: unable to create new content in namespace old because it is being terminated$/,
    ],
    [
      { operation: "DELETE", resource: Namespaces, name: "kube-system", namespace: undefined },
      /^403 namespaces "kube-system" is forbidden: this namespace may not be deleted$/,
    ],
    [
      { object: pod({ serviceAccountName: "gone" }) },
      /^403 pods "web" is forbidden: error looking up service account default\/gone: serviceaccount "gone" not found$/,
    ],
    [
      { object: pod({ priorityClassName: "gone" }) },
      /^403 pods "web" is forbidden: no PriorityClass with name gone was found$/,
    ],
    [
      { object: pod({ priorityClassName: "high", priority: 3 }) },
      /the integer value of priority \(3\) must not be provided in pod spec/,
    ],
    [{ object: pod({ runtimeClassName: "gone" }) }, /pod rejected: RuntimeClass "gone" not found$/],
  ];
  for (const [request, expected] of cases) assert.match(await refusal(request), expected);
});

test("the default account of a new namespace is waited for", async () => {
  const clock = new VirtualClock();
  const late = fakeTable([[Namespaces, [{ metadata: clusterMeta("default") }]]]);
  const all = standardAdmission({
    table: late,
    clock,
    random: seededRandom(1),
    escalation: escalationOf(late),
    webhooks: noWebhooks,
    policyMetrics: new PolicyMetrics(),
  });
  const account = all.find(({ name }) => name === "ServiceAccount");
  const outcome = account?.admit?.(admissionRequest({ object: pod() }), firstRound)?.catch((error: unknown) => error);
  await clock.advance(2500);
  const error = await outcome;
  assert(error instanceof StatusError);
  assert.equal(error.code, 403);
});

test("new nodes are tainted, kubelets keep to their own", async () => {
  const kubelet = { name: "system:node:n1", groups: ["system:nodes"] };
  const node = { kind: "Node", metadata: clusterMeta("n1"), spec: {}, status: {} };
  await admit({ resource: Nodes, namespace: undefined, object: node, user: kubelet });
  assert.deepEqual(node.spec, { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] });
  const other = { ...node, metadata: clusterMeta("n2") };
  assert.match(
    await refusal({ resource: Nodes, namespace: undefined, object: other, user: kubelet }),
    /node "n1" is not allowed to modify node "n2"$/,
  );
  const status = { operation: "UPDATE", subresource: "status", user: kubelet, name: "web" } as const;
  await admit({ ...status, object: pod({ nodeName: "n1" }), oldObject: pod({ nodeName: "n1" }) });
  assert.match(
    await refusal({ ...status, object: pod({ nodeName: "n2" }), oldObject: pod({ nodeName: "n2" }) }),
    /can only update pod status for pods with spec\.nodeName set to itself$/,
  );
});
