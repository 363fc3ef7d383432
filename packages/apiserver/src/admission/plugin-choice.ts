import type { EventLimit } from "./optional/event-rate-limit.ts";
import type { NodeSelectors } from "./optional/pod-node-selector.ts";
import type { TolerationDefaults } from "./optional/pod-toleration-restriction.ts";
import type { PodSecurityConfiguration } from "./pod-security/pod-security.ts";

/** Which plugins are on beside, or in place of, those that Kubernetes has on by default, and how they are configured. */
export interface AdmissionChoice {
  readonly enabled?: readonly string[];
  readonly disabled?: readonly string[];
  readonly podSecurity?: PodSecurityConfiguration;
  readonly podNodeSelectors?: NodeSelectors;
  readonly podTolerations?: TolerationDefaults;
  readonly eventLimits?: readonly EventLimit[];
}

/** Plugins that are on only where somebody wants them. */
export const optionalPlugins: ReadonlySet<string> = new Set([
  "AlwaysPullImages",
  "DenyServiceExternalIPs",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
  "PodNodeSelector",
  "PodTolerationRestriction",
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
  "PodNodeSelector",
  "Priority",
  "DefaultTolerationSeconds",
  "PodTolerationRestriction",
  "EventRateLimit",
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
  "NodeDeclaredFeatureValidator",
  "PodResizeValidator",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionWebhook",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionWebhook",
  "ResourceQuota",
];
