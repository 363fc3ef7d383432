import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInResources, PersistentVolumeClaims, PersistentVolumes, PodCertificateRequests, Pods } from "@skiff/api";
import { present } from "@skiff/base";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import type { Access } from "./access.ts";
import { NodeAuthorizer } from "./node-authorizer.ts";

const pod = (name: string, nodeName: string, spec: object = {}, status: object = {}) => ({
  metadata: namespacedMeta(name),
  spec: { nodeName, serviceAccountName: "default", containers: [], ...spec },
  status,
});
const web = pod(
  "web",
  "n1",
  {
    containers: [
      {
        name: "c",
        env: [{ name: "A", valueFrom: { secretKeyRef: { name: "from-env", key: "a" } } }],
        envFrom: [{ configMapRef: { name: "settings" } }],
      },
    ],
    imagePullSecrets: [{ name: "pull" }],
    resourceClaims: [{ name: "gpu", resourceClaimName: "gpu-claim" }],
    volumes: [
      { name: "v", secret: { secretName: "key" } },
      { name: "d", persistentVolumeClaim: { claimName: "data" } },
      { name: "scratch", ephemeral: { volumeClaimTemplate: { spec: {} } } },
      { name: "f", flexVolume: { driver: "x", secretRef: { name: "flex" } } },
      { name: "p", projected: { sources: [{ secret: { name: "projected" } }, { configMap: { name: "ca" } }] } },
    ],
  },
  {
    resourceClaimStatuses: [{ name: "nic", resourceClaimName: "web-nic-x" }],
    extendedResourceClaimStatus: { requestMappings: [], resourceClaimName: "web-extended-resources-y" },
  },
);
const resources = builtInResources;
const found = (plural: string) =>
  present(
    resources.find((one) => one.plural === plural && one.version === "v1"),
    plural,
  );
const table = fakeTable([
  [Pods, [web, pod("other", "n2")]],
  [PersistentVolumeClaims, [{ metadata: namespacedMeta("data"), spec: { volumeName: "pv" } }]],
  [
    PersistentVolumes,
    [
      {
        metadata: clusterMeta("pv"),
        spec: {
          claimRef: { namespace: "default", name: "data" },
          csi: { driver: "d", volumeHandle: "h", nodePublishSecretRef: { name: "mount", namespace: "storage" } },
        },
      },
      { metadata: clusterMeta("loose"), spec: { claimRef: { namespace: "default", name: "gone" } } },
    ],
  ],
  [found("volumeattachments"), [{ metadata: clusterMeta("va"), spec: { nodeName: "n1" } }]],
  [
    PodCertificateRequests,
    [
      { metadata: namespacedMeta("ours"), spec: { nodeName: "n1" } },
      { metadata: namespacedMeta("theirs"), spec: { nodeName: "n2" } },
    ],
  ],
  [found("resourceslices"), [{ metadata: clusterMeta("slice"), spec: { nodeName: "n1" } }]],
]);

/** `get secrets default/key`, `create serviceaccounts/token default/x`, `list pods?spec.nodeName=n1`, `get leases.coordination.k8s.io …`. */
function access(text: string): Access {
  const [line = "", fieldSelector] = text.split("?");
  const [verb = "", what = "", place = ""] = line.split(" ");
  const [resource = "", subresource] = what.split("/");
  const [plural = "", ...group] = resource.split(".");
  const [namespace, name] = place.includes("/") ? place.split("/") : [undefined, place];
  return {
    kind: "resource",
    verb,
    group: group.join("."),
    version: "v1",
    plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

test("kubelets read what their pods use, and no more", () => {
  const nodes = new NodeAuthorizer(table);
  const unrelated = "no relationship found between node 'n1' and this object";
  const cases: readonly (readonly [access: string, refusal?: string])[] = [
    ["get secrets default/key"],
    ["list secrets default/from-env"],
    ["watch secrets default/pull"],
    ["get secrets default/flex"],
    ["get secrets default/projected"],
    ["get secrets storage/mount"],
    ["get secrets default/mount", unrelated],
    ["get secrets default/other", unrelated],
    ["get secrets other/key", unrelated],
    ["list secrets default/", "No Object name found"],
    ["list secrets", "can only read namespaced object of this type"],
    ["update secrets default/key", "can only read resources of this type"],
    ["get configmaps default/settings"],
    ["get configmaps default/ca"],
    ["get configmaps default/key", unrelated],
    ["get persistentvolumeclaims default/data"],
    ["get persistentvolumeclaims default/web-scratch"],
    ["list persistentvolumeclaims default/data", "can only get individual resources of this type"],
    ["update persistentvolumeclaims/status default/data"],
    ["get persistentvolumes pv"],
    ["get persistentvolumes loose", unrelated],
    ["get volumeattachments.storage.k8s.io va"],
    ["get volumeattachments.storage.k8s.io vb", unrelated],
    ["get resourceclaims.resource.k8s.io default/gpu-claim"],
    ["get resourceclaims.resource.k8s.io default/web-nic-x"],
    ["get resourceclaims.resource.k8s.io default/web-extended-resources-y"],
    ["get resourceclaims.resource.k8s.io default/x", unrelated],
    ["get resourceslices.resource.k8s.io slice"],
    ["list resourceslices.resource.k8s.io?spec.nodeName=n1"],
    [
      "list resourceslices.resource.k8s.io",
      "can only list/watch/deletecollection resourceslices with nodeName field selector",
    ],
    ["create podcertificaterequests.certificates.k8s.io default/"],
    ["get podcertificaterequests.certificates.k8s.io default/ours"],
    ["get podcertificaterequests.certificates.k8s.io default/theirs", unrelated],
    ["watch podcertificaterequests.certificates.k8s.io?spec.nodeName=n1"],
    [
      "list podcertificaterequests.certificates.k8s.io?spec.nodeName=n2",
      "can only list/watch podcertificaterequests with nodeName field selector",
    ],
    [
      "get podcertificaterequests.certificates.k8s.io/status default/ours",
      "nodes may not access the status subresource of PodCertificateRequests",
    ],
    ["delete podcertificaterequests.certificates.k8s.io default/ours", "nodes may not delete podcertificaterequests"],
    ["create serviceaccounts/token default/default"],
    ["create serviceaccounts/token default/other", unrelated],
    ["create serviceaccounts default/default", "can only create token subresource of serviceaccount"],
    ["get serviceaccounts default/default"],
    ["get leases.coordination.k8s.io kube-node-lease/n1"],
    [
      "get leases.coordination.k8s.io kube-node-lease/n2",
      "can only access node lease with the same name as the requesting node",
    ],
    ["get leases.coordination.k8s.io default/n1", 'can only access leases in the "kube-node-lease" system namespace'],
    ["update csinodes.storage.k8s.io n1"],
    ["update csinodes.storage.k8s.io n2", "can only access CSINode with the same name as the requesting node"],
    ["get nodes n1"],
    ["get nodes n2", "node 'n1' cannot read 'n2', only its own Node object"],
    ["list nodes", "node 'n1' cannot read all nodes, only its own Node object"],
    ["patch nodes/status n1"],
    ["delete nodes n1", ""],
    ["list pods?spec.nodeName=n1"],
    ["list pods?spec.nodeName=n2", "can only list/watch pods with spec.nodeName field selector"],
    ["list pods?spec.nodeName!=n1", "can only list/watch pods with spec.nodeName field selector"],
    ["list pods", "can only list/watch pods with spec.nodeName field selector"],
    ["get pods default/web"],
    ["get pods default/other", unrelated],
    ["create pods/eviction default/other"],
    ["get pods/log default/web", ""],
    ["list services"],
    ["list deployments.apps", ""],
  ];
  for (const [text, refusal] of cases) {
    const decision = nodes.authorize({
      user: { name: "system:node:n1", groups: ["system:nodes"] },
      request: access(text),
    });
    const expected = refusal === undefined ? { kind: "allowed", reason: "" } : { kind: "noOpinion", reason: refusal };
    assert.deepEqual(decision, expected, text);
  }
  const request = access("get secrets default/key");
  assert.equal(nodes.authorize({ user: { name: "system:node:n1", groups: [] }, request }).kind, "noOpinion");
  assert.equal(
    nodes.authorize({ user: { name: "system:node:n2", groups: ["system:nodes"] }, request }).kind,
    "noOpinion",
  );
});
