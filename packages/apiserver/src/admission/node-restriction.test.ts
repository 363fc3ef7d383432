import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSINodes,
  Nodes,
  PersistentVolumeClaims,
  type Pod,
  PodCertificateRequests,
  Pods,
  ResourceSlices,
  ServiceAccounts,
  StatusError,
} from "@skiff/api";
import type { AdmissionRequest } from "../contracts.ts";
import { admissionRequest, firstRound } from "../fixtures/admission-request.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import { nodeRestriction } from "./node-restriction.ts";

const user = { name: "system:node:n1", groups: ["system:nodes"] };
const mine = { metadata: namespacedMeta("mine"), spec: { nodeName: "n1", containers: [] }, status: {} };
const theirs = { metadata: namespacedMeta("theirs"), spec: { nodeName: "n2", containers: [] }, status: {} };
const named = (name: string, more: object = {}): Pod => ({ ...mine, metadata: { ...namespacedMeta(name), ...more } });
const static1 = named("static", { annotations: { "kubernetes.io/config.mirror": "x" } });
const robot: Pod = { ...mine, metadata: namespacedMeta("robot"), spec: { ...mine.spec, serviceAccountName: "robot" } };
const plugin = nodeRestriction(
  fakeTable([
    [Pods, [mine, theirs, static1, robot]],
    [Nodes, [{ metadata: clusterMeta("n1"), spec: {}, status: {} }]],
    [ServiceAccounts, [{ metadata: namespacedMeta("robot") }]],
  ]),
);

function refusal(request: Partial<AdmissionRequest>): string {
  try {
    plugin.admit?.(admissionRequest({ user, ...request }), firstRound);
    return "";
  } catch (error) {
    assert(error instanceof StatusError);
    return error.code === 403 ? error.message.replace(/^.* is forbidden: /, "") : `${error.code} ${error.message}`;
  }
}

const node = (labels: Record<string, string>, more: object = {}) => ({
  metadata: clusterMeta("n1", labels),
  spec: {},
  ...more,
});
const mirror = (spec: Partial<Pod["spec"]> = {}): Pod => ({
  metadata: { ...namespacedMeta("static"), annotations: { "kubernetes.io/config.mirror": "x" } },
  spec: { nodeName: "n1", containers: [{ name: "a" }], ...spec },
  status: {},
});
const reference = (what: string) => `node "n1" can not create pods that reference ${what}`;
const labelled = { ...mine, metadata: { ...mine.metadata, labels: { a: "b" } } };
const claim = (status: object) => ({ metadata: namespacedMeta("c"), spec: {}, status });

/** A request for a certificate of the pod `robot`, and what is asked otherwise. */
function certificate(more: object): Partial<AdmissionRequest> {
  const spec = {
    nodeName: "n1",
    nodeUID: clusterMeta("n1").uid,
    podName: "robot",
    podUID: robot.metadata.uid,
    serviceAccountName: "robot",
    serviceAccountUID: namespacedMeta("robot").uid,
    ...more,
  };
  const object = { metadata: namespacedMeta("req"), spec };
  return { resource: PodCertificateRequests, object };
}
const slice = (nodeName: string) => ({ metadata: clusterMeta("s"), spec: { nodeName } });
const about = 'PodCertificateRequest for pod "default/robot"';

const cases: readonly [string, Partial<AdmissionRequest>, string][] = [
  [
    "labels of its own",
    {
      resource: Nodes,
      name: "n1",
      object: node({ "kubernetes.io/os": "linux", "node.kubernetes.io/x": "1", mine: "1" }),
    },
    "",
  ],
  [
    "labels for others to set",
    {
      resource: Nodes,
      name: "n1",
      object: node({ "x.node-restriction.kubernetes.io/a": "1", "node-role.kubernetes.io/master": "" }),
    },
    'node "n1" is not allowed to set the following labels: node-role.kubernetes.io/master, x.node-restriction.kubernetes.io/a',
  ],
  [
    "labels that others set",
    {
      resource: Nodes,
      name: "n1",
      operation: "UPDATE",
      object: node({}),
      oldObject: node({ "pod-security.k8s.io/x": "1" }),
    },
    "is not allowed to modify labels: pod-security.k8s.io/x",
  ],
  [
    "taints",
    {
      resource: Nodes,
      name: "n1",
      operation: "UPDATE",
      object: node({}),
      oldObject: node({}, { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }),
    },
    'node "n1" is not allowed to modify taints',
  ],
  [
    "another node",
    { resource: Nodes, name: "n2", operation: "DELETE" },
    'node "n1" is not allowed to modify node "n2"',
  ],
  ["a mirror pod", { object: mirror() }, ""],
  [
    "no mirror pod",
    { object: mine },
    'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  ],
  [
    "a mirror pod elsewhere",
    { object: mirror({ nodeName: "n2" }) },
    'node "n1" can only create pods with spec.nodeName set to itself',
  ],
  ["with an account", { object: mirror({ serviceAccountName: "a" }) }, reference("serviceaccounts")],
  ["with a secret", { object: mirror({ imagePullSecrets: [{ name: "s" }] }) }, reference("secrets")],
  ["with a map", { object: mirror({ volumes: [{ name: "v", configMap: { name: "m" } }] }) }, reference("configmaps")],
  [
    "with a claim",
    { object: mirror({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] }) },
    reference("persistentvolumeclaims"),
  ],
  [
    "with a token of an account",
    { object: mirror({ volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] }) },
    reference("serviceaccounts (via projected volumes)"),
  ],
  [
    "with a volume of a driver",
    { object: mirror({ volumes: [{ name: "v", csi: { driver: "d" } }] }) },
    reference("csidrivers (via CSI volumes)"),
  ],
  ["its pod's status", { operation: "UPDATE", subresource: "status", object: mine, oldObject: mine }, ""],
  [
    "labels by status",
    { operation: "UPDATE", subresource: "status", object: labelled, oldObject: mine },
    'node "n1" cannot update labels through pod status',
  ],
  [
    "another's status",
    { operation: "UPDATE", subresource: "status", object: theirs, oldObject: theirs },
    'node "n1" can only update pod status for pods with spec.nodeName set to itself',
  ],
  [
    "a pod itself",
    { operation: "UPDATE", object: mine, oldObject: mine },
    'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
  ],
  ["deleting its pod", { operation: "DELETE", name: "mine", oldObject: mine }, ""],
  [
    "deleting another's",
    { operation: "DELETE", name: "theirs", oldObject: theirs },
    'node "n1" can only delete pods with spec.nodeName set to itself',
  ],
  ["evicting its pod", { subresource: "eviction", name: "mine" }, ""],
  [
    "evicting another's",
    { subresource: "eviction", name: "theirs" },
    "node n1 can only evict pods with spec.nodeName set to itself",
  ],
  [
    "a claim's capacity",
    {
      resource: PersistentVolumeClaims,
      operation: "UPDATE",
      subresource: "status",
      object: claim({ capacity: { storage: "2" } }),
      oldObject: claim({}),
    },
    "",
  ],
  [
    "a claim's phase",
    {
      resource: PersistentVolumeClaims,
      operation: "UPDATE",
      subresource: "status",
      object: claim({ phase: "Lost" }),
      oldObject: claim({}),
    },
    'node "n1" is not allowed to update fields other than status.capacity and status.conditions',
  ],
  [
    "another's drivers",
    { resource: CSINodes, object: { metadata: clusterMeta("n2") } },
    "can only access CSINode with the same name as the requesting node",
  ],
  ["its devices", { resource: ResourceSlices, object: slice("n1") }, ""],
  [
    "another's devices",
    { resource: ResourceSlices, object: slice("n2") },
    "can only create ResourceSlice with the same NodeName as the requesting node",
  ],
  [
    "deleting another's devices",
    { resource: ResourceSlices, operation: "DELETE", oldObject: slice("n2") },
    "can only delete ResourceSlice with the same NodeName as the requesting node",
  ],
  ["a certificate of its pod", certificate({}), ""],
  ["changing a request", { ...certificate({}), operation: "UPDATE" }, "unexpected operation UPDATE"],
  [
    "a certificate for another node",
    certificate({ nodeName: "n2" }),
    'PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"',
  ],
  [
    "a certificate for an earlier node of its name",
    certificate({ nodeUID: "old" }),
    `500 ${about} names node UID "old", inconsistent with the running node ("${clusterMeta("n1").uid}")`,
  ],
  [
    "a certificate of a pod that is not there",
    certificate({ podName: "none" }),
    '500 while retrieving pod "default/none" named in the PodCertificateRequest: pod "none" not found',
  ],
  [
    "a certificate of an earlier pod",
    certificate({ podUID: "old" }),
    `500 ${about} contains pod UID ("old") which differs from running pod "${robot.metadata.uid}"`,
  ],
  [
    "a certificate of another's pod",
    certificate({ podName: "theirs", podUID: theirs.metadata.uid }),
    'pod "default/theirs" is not running on node "n1" named in the PodCertificateRequest',
  ],
  [
    "a certificate of a mirror pod",
    certificate({ podName: "static", podUID: static1.metadata.uid }),
    'pod "default/static" is a mirror pod',
  ],
  [
    "a certificate of another account",
    certificate({ serviceAccountName: "admin" }),
    `${about} contains serviceAccountName ("admin") that differs from running pod ("robot")`,
  ],
  [
    "a certificate of an earlier account",
    certificate({ serviceAccountUID: "old" }),
    `500 ${about} names service account UID "old", which differs from the running service account ("${namespacedMeta("robot").uid}")`,
  ],
];

test("kubelets change what is theirs", () => {
  for (const [name, request, expected] of cases) assert.equal(refusal(request), expected, name);
});
