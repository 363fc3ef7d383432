import type { PolicyRule } from "@skiff/api";
import { eventsRule, read, rule } from "./rule.ts";

/** What the kubelet does, as in the cluster role `system:node`. */
export const nodeRules: PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews"),
  rule(read, "", "services"),
  rule("create get list watch", "", "nodes"),
  rule("update patch", "", "nodes/status"),
  rule("update patch", "", "nodes"),
  eventsRule,
  rule(read, "", "pods"),
  rule("create delete", "", "pods"),
  rule("update patch", "", "pods/status"),
  rule("create", "", "pods/eviction"),
  rule(read, "", "secrets configmaps"),
  rule("get", "", "persistentvolumeclaims persistentvolumes"),
  rule("get", "", "endpoints"),
  rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
  rule("get create update patch delete", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  rule("create", "", "serviceaccounts/token"),
  rule("get", "", "serviceaccounts"),
  rule("get update patch", "", "persistentvolumeclaims/status"),
  rule(read, "storage.k8s.io", "csidrivers"),
  rule("get create update patch delete", "storage.k8s.io", "csinodes"),
  rule(read, "node.k8s.io", "runtimeclasses"),
  rule("get", "resource.k8s.io", "resourceclaims"),
  rule("deletecollection", "resource.k8s.io", "resourceslices"),
  rule("get list watch create update patch delete", "resource.k8s.io", "resourceslices"),
  rule(read, "certificates.k8s.io", "clustertrustbundles"),
  rule("get list watch create", "certificates.k8s.io", "podcertificaterequests"),
];
