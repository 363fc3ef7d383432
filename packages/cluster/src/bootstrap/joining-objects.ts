import {
  ClusterRoleBindings,
  ClusterRoles,
  ConfigMaps,
  type New,
  type RoleBinding,
  RoleBindings,
  Roles,
} from "@skiff/api";
import type { Client } from "@skiff/client";
import { joiningGroup } from "../join/bootstrap-token.ts";
import { factsMap, factsPlace } from "../join/cluster-facts.ts";
import type { ClusterSettings } from "../settings/settings.ts";
import { createIfMissing } from "./create-if-missing.ts";

const apiGroup = "rbac.authorization.k8s.io";
const group = (name: string) => ({ kind: "Group", apiGroup, name });
const nodes = group("system:nodes");
const joining = group(joiningGroup);

/** Who may do what so that machines can join, under the names that kubeadm gives it. */
const clusterBindings = [
  { name: "kubeadm:kubelet-bootstrap", role: "system:node-bootstrapper", subject: joining },
  {
    name: "kubeadm:node-autoapprove-bootstrap",
    role: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    subject: joining,
  },
  {
    name: "kubeadm:node-autoapprove-certificate-rotation",
    role: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    subject: nodes,
  },
  // So that no machine takes the name of a node that is there.
  { name: "kubeadm:get-nodes", role: "kubeadm:get-nodes", subject: joining },
];

const clusterInfo = { namespace: "kube-public", name: "cluster-info" };
const infoReader = { namespace: clusterInfo.namespace, name: "kubeadm:bootstrap-signer-clusterinfo" };
const factsReader = { namespace: factsPlace.namespace, name: "skiff:node-config" };

const reader = (place: { readonly namespace: string; readonly name: string }, map: string) => ({
  metadata: place,
  rules: [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [map], verbs: ["get"] }],
});

const binding = (
  place: { readonly namespace: string; readonly name: string },
  subjects: RoleBinding["subjects"],
): New<RoleBinding> => ({
  metadata: place,
  roleRef: { apiGroup, kind: "Role", name: place.name },
  subjects,
});

/** What anybody may know of the cluster: where its server is, and its authority. Signed with each bootstrap token. */
const infoMap = (settings: ClusterSettings, authority: string) => ({
  metadata: clusterInfo,
  data: {
    kubeconfig: `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(authority).toString("base64")}
    server: https://${settings.nodeIp}:${settings.apiPort}
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`,
  },
});

/** Creates what machines that join need, where it is missing. No machine joins in the first moments: nothing waits for it. */
export async function createJoiningObjects(
  client: Client,
  { settings, authority }: { readonly settings: ClusterSettings; readonly authority: string },
  signal: AbortSignal,
): Promise<void> {
  const getNodes = {
    metadata: { name: "kubeadm:get-nodes" },
    rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }],
  };
  await createIfMissing(client, ClusterRoles, getNodes, signal);
  for (const { name, role, subject } of clusterBindings) {
    const roleRef = { apiGroup, kind: "ClusterRole", name: role };
    await createIfMissing(client, ClusterRoleBindings, { metadata: { name }, roleRef, subjects: [subject] }, signal);
  }
  await createIfMissing(client, Roles, reader(infoReader, clusterInfo.name), signal);
  const anonymous = { kind: "User", apiGroup, name: "system:anonymous" };
  await createIfMissing(client, RoleBindings, binding(infoReader, [anonymous]), signal);
  await createIfMissing(client, Roles, reader(factsReader, factsPlace.name), signal);
  await createIfMissing(client, RoleBindings, binding(factsReader, [joining, nodes]), signal);
  await createIfMissing(client, ConfigMaps, factsMap(settings), signal);
  await createIfMissing(client, ConfigMaps, infoMap(settings, authority), signal);
}
