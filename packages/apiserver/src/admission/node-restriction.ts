import {
  CSINodes,
  Leases,
  Nodes,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  PodCertificateRequests,
  Pods,
  ResourceSlices,
  refusals,
  ServiceAccounts,
  type Volume,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { nodeNameOf } from "../authorization/node-authorizer.ts";
import { configMapsOf, secretsOf } from "../authorization/node-relations.ts";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { isFor, objectOf, oldObjectOf, refused } from "./narrow.ts";
import { forbiddenLabels } from "./node-labels.ts";

const mirrorAnnotation = "kubernetes.io/config.mirror";
const quoted = (text: string): string => JSON.stringify(text);

/** Kubelets change their own node and the pods that are bound to it, nothing else. */
export function nodeRestriction(table: ResourceTable): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    handles: ({ user }) => nodeNameOf(user) !== undefined,
    admit(request) {
      const node = nodeNameOf(request.user);
      if (node === undefined) return;
      if (isFor(request, Nodes)) checkNode(request, node);
      else if (isFor(request, Pods)) checkPod(request, node, table);
      else if (isFor(request, Leases)) checkLease(request, node);
      else if (isFor(request, PersistentVolumeClaims)) checkClaim(request, node);
      else if (isFor(request, CSINodes)) checkCsiNode(request, node);
      else if (isFor(request, ResourceSlices)) checkSlice(request, node);
      else if (isFor(request, PodCertificateRequests)) checkCertificateRequest(request, node, table);
    },
  };
}

function checkNode(request: AdmissionRequest, node: string): void {
  const now = objectOf(request, Nodes);
  const name = request.name || (now?.metadata.name ?? "");
  if (name !== node) throw refused(request, `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`);
  if (now === undefined) return;
  const old = oldObjectOf(request, Nodes);
  if (request.operation === "CREATE") {
    if (now.spec?.configSource !== undefined) {
      throw refused(request, `node ${quoted(node)} is not allowed to create pods with a non-nil configSource`);
    }
    const labels = forbiddenLabels(now.metadata.labels, {});
    if (labels.length > 0) {
      const which = labels.join(", ");
      throw refused(request, `node ${quoted(node)} is not allowed to set the following labels: ${which}`);
    }
  }
  if (request.operation !== "UPDATE" || old === undefined) return;
  if (now.spec?.configSource !== undefined && !jsonEqual(now.spec.configSource, old.spec?.configSource)) {
    throw refused(request, `node ${quoted(node)} is not allowed to update configSource to a new non-nil configSource`);
  }
  if (!jsonEqual(old.spec?.taints ?? [], now.spec?.taints ?? [])) {
    throw refused(request, `node ${quoted(node)} is not allowed to modify taints`);
  }
  const labels = forbiddenLabels(now.metadata.labels, old.metadata.labels);
  if (labels.length > 0) throw refused(request, `is not allowed to modify labels: ${labels.join(", ")}`);
}

function checkLease(request: AdmissionRequest, node: string): void {
  if (request.namespace !== "kube-node-lease") {
    throw refused(request, 'can only access leases in the "kube-node-lease" system namespace');
  }
  const name = request.name || (request.object?.metadata.name ?? "");
  if (name !== node) throw refused(request, "can only access node lease with the same name as the requesting node");
}

/** What a kubelet reports of a claim that grows; all else of it is not its business. */
function checkClaim(request: AdmissionRequest, node: string): void {
  const now = objectOf(request, PersistentVolumeClaims);
  const old = oldObjectOf(request, PersistentVolumeClaims);
  if (request.subresource !== "status" || now === undefined || old === undefined) return;
  const kept = ({ metadata, spec, status }: PersistentVolumeClaim) => {
    const { resourceVersion: _version, managedFields: _fields, ...identity } = metadata;
    const {
      capacity: _capacity,
      conditions: _conditions,
      allocatedResources: _allocated,
      allocatedResourceStatuses: _statuses,
      ...rest
    } = status ?? {};
    return { identity, spec, rest };
  };
  if (jsonEqual(kept(now), kept(old))) return;
  throw refused(
    request,
    `node ${quoted(node)} is not allowed to update fields other than status.capacity and status.conditions`,
  );
}

function checkCsiNode(request: AdmissionRequest, node: string): void {
  const name = request.operation === "CREATE" ? (request.object?.metadata.name ?? "") : request.name;
  if (name !== node) throw refused(request, "can only access CSINode with the same name as the requesting node");
}

/** Devices are told of, and no more told of, by the node that they are on. */
function checkSlice(request: AdmissionRequest, node: string): void {
  const { operation } = request;
  if (operation !== "CREATE" && operation !== "DELETE") return;
  const slice = operation === "CREATE" ? objectOf(request, ResourceSlices) : oldObjectOf(request, ResourceSlices);
  if (slice?.spec.nodeName === node) return;
  const verb = operation.toLowerCase();
  throw refused(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

/** A kubelet asks for certificates of pods that run on it, as they are: names and uids are what signers go by. */
function checkCertificateRequest(request: AdmissionRequest, node: string, table: ResourceTable): void {
  const { operation, subresource, namespace = "" } = request;
  if (operation !== "CREATE") throw refused(request, `unexpected operation ${operation}`);
  if (subresource !== undefined) throw refused(request, `unexpected subresource ${subresource}`);
  const spec = objectOf(request, PodCertificateRequests)?.spec;
  if (spec === undefined) return;
  const { nodeName, podName, serviceAccountName } = spec;
  const podText = quoted(`${namespace}/${podName}`);
  const refuse = (why: string) => refused(request, why);
  // The caches may be behind, or the kubelet's own: no refusal, so that it tries again.
  const later = (why: string) => refusals.unexplained(why);
  const found = <T>(object: T | undefined, what: string, kind: string, name: string): T => {
    if (object !== undefined) return object;
    throw later(`while retrieving ${what} named in the PodCertificateRequest: ${kind} ${quoted(name)} not found`);
  };
  if (nodeName !== node) {
    const which = `PodCertificateRequest.Spec.NodeName=${quoted(nodeName)}`;
    throw refuse(`${which}, which is not the requesting node ${quoted(node)}`);
  }
  const own = found(table.of(Nodes).peek({ name: node }), `node ${quoted(node)}`, "node", node).metadata;
  const about = `PodCertificateRequest for pod ${podText}`;
  if (own.uid !== spec.nodeUID) {
    throw later(
      `${about} names node UID ${quoted(spec.nodeUID)}, inconsistent with the running node (${quoted(own.uid)})`,
    );
  }
  const pod = found(table.of(Pods).peek({ namespace, name: podName }), `pod ${podText}`, "pod", podName);
  const { uid, annotations } = pod.metadata;
  if (uid !== spec.podUID) {
    throw later(`${about} contains pod UID (${quoted(spec.podUID)}) which differs from running pod ${quoted(uid)}`);
  }
  if (pod.spec.nodeName !== node) {
    throw refuse(`pod ${podText} is not running on node ${quoted(node)} named in the PodCertificateRequest`);
  }
  if (annotations?.[mirrorAnnotation] !== undefined) throw refuse(`pod ${podText} is a mirror pod`);
  const runsAs = pod.spec.serviceAccountName ?? "";
  if (serviceAccountName !== runsAs) {
    const asked = `serviceAccountName (${quoted(serviceAccountName)})`;
    throw refuse(`${about} contains ${asked} that differs from running pod (${quoted(runsAs)})`);
  }
  const accountText = `service account ${quoted(`${namespace}/${runsAs}`)}`;
  const stored = table.of(ServiceAccounts).peek({ namespace, name: runsAs });
  const account = found(stored, accountText, "serviceaccount", runsAs).metadata;
  if (account.uid !== spec.serviceAccountUID) {
    const asked = `service account UID ${quoted(spec.serviceAccountUID)}`;
    throw later(`${about} names ${asked}, which differs from the running service account (${quoted(account.uid)})`);
  }
}

function checkPod(request: AdmissionRequest, node: string, table: ResourceTable): void {
  const { operation, subresource, namespace = "", name } = request;
  const stored = (): Pod | undefined => oldObjectOf(request, Pods) ?? table.of(Pods).peek({ namespace, name });
  const mine = (pod: Pod | undefined) => pod?.spec?.nodeName === node;
  if (operation === "CREATE" && subresource === undefined) {
    checkMirrorPod(request, node, objectOf(request, Pods));
  } else if (operation === "DELETE" && !mine(stored())) {
    throw refused(request, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`);
  } else if (operation === "CREATE" && subresource === "eviction" && !mine(stored())) {
    throw refused(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
  } else if (operation === "UPDATE" && subresource === "status") {
    if (!mine(stored())) {
      const what = "can only update pod status for pods with spec.nodeName set to itself";
      throw refused(request, `node ${quoted(node)} ${what}`);
    }
    checkPodStatus(request, node);
  } else if (operation === "UPDATE") {
    throw refused(
      request,
      `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`,
    );
  }
}

function checkPodStatus(request: AdmissionRequest, node: string): void {
  const [now, old] = [objectOf(request, Pods), oldObjectOf(request, Pods)];
  if (!jsonEqual(now?.metadata.labels ?? {}, old?.metadata.labels ?? {})) {
    throw refused(request, `node ${quoted(node)} cannot update labels through pod status`);
  }
  if (!jsonEqual(now?.status?.resourceClaimStatuses ?? [], old?.status?.resourceClaimStatuses ?? [])) {
    throw refused(request, `node ${quoted(node)} cannot update resource claim statues`);
  }
  const special = ({ status }: Pod) => status?.extendedResourceClaimStatus ?? {};
  if (now !== undefined && old !== undefined && !jsonEqual(special(now), special(old))) {
    throw refused(request, `node ${quoted(node)} cannot update extended resource claim status`);
  }
}

/** What a kubelet shows of the pods that it found in files: they use nothing that the API keeps. */
function checkMirrorPod(request: AdmissionRequest, node: string, pod: Pod | undefined): void {
  if (pod?.metadata.annotations?.[mirrorAnnotation] === undefined) {
    throw refused(
      request,
      `pod does not have ${quoted(mirrorAnnotation)} annotation, node ${quoted(node)} can only create mirror pods`,
    );
  }
  if (pod.spec?.nodeName !== node) {
    throw refused(request, `node ${quoted(node)} can only create pods with spec.nodeName set to itself`);
  }
  const referenced = referencedBy(pod);
  if (referenced !== undefined) {
    throw refused(request, `node ${quoted(node)} can not create pods that reference ${referenced}`);
  }
}

/** The first thing of the API that a pod uses. */
function referencedBy(pod: Pod): string | undefined {
  const { serviceAccountName, volumes = [], resourceClaims = [] } = pod.spec;
  if (serviceAccountName) return "serviceaccounts";
  if (secretsOf(pod, "").length > 0) return "secrets";
  if (configMapsOf(pod).length > 0) return "configmaps";
  if (resourceClaims.length > 0) return "resourceclaims";
  return volumes.map(referencedByVolume).find((found) => found !== undefined);
}

function referencedByVolume(volume: Volume): string | undefined {
  if (volume.csi !== undefined) return "csidrivers (via CSI volumes)";
  if (volume.glusterfs !== undefined) return "endpoints (via glusterFS volumes)";
  if (volume.persistentVolumeClaim !== undefined) return "persistentvolumeclaims";
  if (volume.ephemeral !== undefined) return "persistentvolumeclaims (via ephemeral volumes)";
  for (const { serviceAccountToken, clusterTrustBundle, podCertificate } of volume.projected?.sources ?? []) {
    if (serviceAccountToken !== undefined) return "serviceaccounts (via projected volumes)";
    if (clusterTrustBundle !== undefined) return "clustertrustbundles";
    if (podCertificate !== undefined) return "podcertificates";
  }
  return undefined;
}
