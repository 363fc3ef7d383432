import type { PodSecurityConfiguration } from "./pod-security/pod-security.ts";

/** Which plugins are on beside, or in place of, those that Kubernetes has on by default, and how they are configured. */
export interface AdmissionChoice {
  readonly enabled?: readonly string[];
  readonly disabled?: readonly string[];
  readonly podSecurity?: PodSecurityConfiguration;
}

/** Plugins that are on only where somebody wants them. */
export const optionalPlugins: ReadonlySet<string> = new Set([
  "AlwaysPullImages",
  "DenyServiceExternalIPs",
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
]);

/** Names by which plugins are switched on and off, in the order in which they run. */
export const admissionPlugins: readonly string[] = [
  "NamespaceLifecycle",
  "LimitRanger",
  "ServiceAccount",
  "NodeRestriction",
  "TaintNodesByCondition",
  "AlwaysPullImages",
  "PodSecurity",
  "Priority",
  "DefaultTolerationSeconds",
  "ExtendedResourceToleration",
  "DefaultStorageClass",
  "StorageObjectInUseProtection",
  "OwnerReferencesPermissionEnforcement",
  "PersistentVolumeClaimResize",
  "RuntimeClass",
  "CertificateApproval",
  "CertificateSigning",
  "ClusterTrustBundleAttest",
  "CertificateSubjectRestriction",
  "DefaultIngressClass",
  "DenyServiceExternalIPs",
  "PodTopologyLabels",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionWebhook",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionWebhook",
  "ResourceQuota",
];
