import { nodeRules } from "./node-rules.ts";
import { eventsRule, pathRule, read, readWrite, rule } from "./rule.ts";
import type { RoleData } from "./user-roles.ts";

const csr = "certificates.k8s.io";
const healthPaths = "/healthz /livez /readyz /version /version/";

const signers: readonly (readonly [role: string, signer: string])[] = [
  ["legacy-unknown-approver", "kubernetes.io/legacy-unknown"],
  ["kubelet-serving-approver", "kubernetes.io/kubelet-serving"],
  ["kube-apiserver-client-approver", "kubernetes.io/kube-apiserver-client"],
  ["kube-apiserver-client-kubelet-approver", "kubernetes.io/kube-apiserver-client-kubelet"],
];

/** Roles that everybody has. */
const publicRoles: readonly RoleData[] = [
  {
    name: "system:discovery",
    rules: [
      pathRule("get", `/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/`),
    ],
  },
  {
    name: "system:basic-user",
    rules: [
      rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
      rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
  },
  { name: "system:public-info-viewer", rules: [pathRule("get", healthPaths)] },
  {
    name: "system:monitoring",
    rules: [pathRule("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")],
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [
      pathRule(
        "get",
        "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
      ),
    ],
  },
];

/** Roles of Kubernetes' own programs. */
const programRoles: readonly RoleData[] = [
  { name: "system:node", rules: nodeRules },
  {
    name: "system:heapster",
    rules: [rule(read, "", "events namespaces nodes pods"), rule(read, "extensions", "deployments")],
  },
  {
    name: "system:node-problem-detector",
    rules: [rule("get", "", "nodes"), rule("patch", "", "nodes/status"), eventsRule],
  },
  { name: "system:node-bootstrapper", rules: [rule("create get list watch", csr, "certificatesigningrequests")] },
  {
    name: "system:auth-delegator",
    rules: [
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  {
    name: "system:kube-aggregator",
    rules: [rule(read, "", "services endpoints"), rule(read, "discovery.k8s.io", "endpointslices")],
  },
  {
    name: "system:kube-controller-manager",
    rules: [
      eventsRule,
      rule("create", "coordination.k8s.io", "leases"),
      rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
      rule("create", "", "secrets serviceaccounts"),
      rule("delete", "", "secrets"),
      rule("get", "", "configmaps namespaces secrets serviceaccounts"),
      rule("update", "", "secrets serviceaccounts"),
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
      rule("list watch", "*", "*"),
      rule("create", "", "serviceaccounts/token"),
    ],
  },
  {
    name: "system:kube-scheduler",
    rules: [
      eventsRule,
      rule("create", "coordination.k8s.io", "leases"),
      rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
      rule(readWrite, "coordination.k8s.io", "leasecandidates"),
      rule(read, "", "nodes"),
      rule("delete get list watch", "", "pods"),
      rule("create", "", "bindings pods/binding"),
      rule("patch update", "", "pods/status"),
      rule(read, "", "replicationcontrollers services"),
      rule(read, "apps extensions", "replicasets"),
      rule(read, "apps", "statefulsets"),
      rule(read, "policy", "poddisruptionbudgets"),
      rule(read, "", "persistentvolumeclaims persistentvolumes"),
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
      rule(read, "storage.k8s.io", "csinodes csidrivers csistoragecapacities volumeattachments"),
      rule(read, "", "namespaces"),
      rule(read, "resource.k8s.io", "deviceclasses resourceslices"),
      rule("get list patch update watch", "resource.k8s.io", "resourceclaims"),
      rule("patch update", "resource.k8s.io", "resourceclaims/status"),
      rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
      rule("create delete", "resource.k8s.io", "resourceclaims"),
    ],
  },
  {
    name: "system:kube-dns",
    rules: [rule("list watch", "", "endpoints services"), rule("list watch", "discovery.k8s.io", "endpointslices")],
  },
  {
    name: "system:node-proxier",
    rules: [
      rule("list watch", "", "services endpoints"),
      rule(read, "", "nodes"),
      eventsRule,
      rule("list watch", "discovery.k8s.io", "endpointslices"),
      rule("list watch", "networking.k8s.io", "servicecidrs"),
    ],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      rule("get list watch proxy", "", "nodes"),
      rule("*", "", "nodes/log nodes/metrics nodes/proxy nodes/stats nodes/pods nodes/healthz nodes/configz"),
    ],
  },
  {
    name: "system:volume-scheduler",
    rules: [
      rule("get list patch update watch", "", "persistentvolumes"),
      rule(read, "storage.k8s.io", "storageclasses"),
      rule("get list patch update watch", "", "persistentvolumeclaims"),
    ],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      rule("create delete get list watch", "", "persistentvolumes"),
      rule("get list update watch", "", "persistentvolumeclaims"),
      rule(read, "storage.k8s.io", "storageclasses"),
      rule("watch", "", "events"),
      eventsRule,
    ],
  },
];

const certificateRoles: readonly RoleData[] = [
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rules: [rule("create", csr, "certificatesigningrequests/nodeclient")],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rules: [rule("create", csr, "certificatesigningrequests/selfnodeclient")],
  },
  ...signers.map(([name, signer]) => ({
    name: `system:certificates.k8s.io:${name}`,
    rules: [rule("approve", csr, "signers", signer)],
  })),
];

/** Roles that programs and everybody have. */
export const componentRoles: readonly RoleData[] = [...publicRoles, ...programRoles, ...certificateRoles];
