import type { Clock, Random } from "@skiff/base";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { certificateAdmission } from "./certificates.ts";
import { persistentVolumeClaimResize } from "./claim-resize.ts";
import { defaultIngressClass, defaultStorageClass } from "./default-classes.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeDeclaredFeatureValidator } from "./node-declared-feature-validator.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { alwaysPullImages } from "./optional/always-pull-images.ts";
import { denyServiceExternalIPs } from "./optional/deny-service-external-ips.ts";
import { eventRateLimit } from "./optional/event-rate-limit.ts";
import { extendedResourceToleration } from "./optional/extended-resource-toleration.ts";
import { ownerReferencesPermissionEnforcement } from "./optional/owner-references.ts";
import { podNodeSelector } from "./optional/pod-node-selector.ts";
import { podTolerationRestriction } from "./optional/pod-toleration-restriction.ts";
import { type AdmissionChoice, optionalPlugins } from "./plugin-choice.ts";
import { podResizeValidator } from "./pod-resize-validator.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from "./policies/policies-plugins.ts";
import type { PolicyMetrics } from "./policies/policy-metrics.ts";
import type { PolicyPluginOptions } from "./policies/policy-options.ts";
import { priorityAdmission } from "./priority.ts";
import { type EscalationSources, rbacEscalation } from "./rbac-escalation.ts";
import { resourceQuotaAdmission } from "./resource-quota/resource-quota.ts";
import { runtimeClassAdmission } from "./runtime-class.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { serviceAllocationAdmission } from "./service-allocation.ts";
import { storageObjectInUseProtection } from "./storage-in-use.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";
import { mutatingAdmissionWebhook, type WebhookPluginOptions } from "./webhooks/mutating-webhooks.ts";
import { validatingAdmissionWebhook } from "./webhooks/validating-webhooks.ts";

/** How webhooks are called and counted. */
export type WebhookSources = Pick<WebhookPluginOptions, "client" | "metrics" | "conditions">;

/** What plugins are made of. */
export interface AdmissionSources {
  readonly table: ResourceTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly escalation: EscalationSources;
  readonly webhooks: WebhookSources;
  readonly policyMetrics: PolicyMetrics;
  readonly choice?: AdmissionChoice | undefined;
}

/** What no plugin of Kubernetes does: there the registries of kinds do it, and it cannot be switched off. */
export const registryRules: ReadonlySet<string> = new Set([serviceAllocationAdmission.name, "RBACEscalation"]);

/** The plugins that are on, in Kubernetes' order. */
export function standardAdmission(sources: AdmissionSources): readonly AdmissionPlugin[] {
  const { enabled = [], disabled = [] } = sources.choice ?? {};
  return allPlugins(sources).filter(
    ({ name }) =>
      registryRules.has(name) || (!disabled.includes(name) && (!optionalPlugins.has(name) || enabled.includes(name))),
  );
}

/** All plugins that there are, those included that are off. */
export const allPlugins = (options: AdmissionSources): readonly AdmissionPlugin[] => [
  namespaceLifecycle(options.table),
  limitRanger(options.table),
  serviceAccountAdmission(options),
  nodeRestriction(options.table),
  taintNodesByCondition,
  alwaysPullImages,
  podSecurity(options.table, options.choice?.podSecurity),
  podNodeSelector(options.table, options.choice?.podNodeSelectors),
  priorityAdmission(options.table),
  defaultTolerationSeconds,
  podTolerationRestriction(options.table, options.choice?.podTolerations),
  eventRateLimit(options.clock, options.choice?.eventLimits),
  extendedResourceToleration,
  defaultStorageClass(options.table),
  storageObjectInUseProtection,
  ownerReferencesPermissionEnforcement(options.table, options.escalation.authorizer),
  persistentVolumeClaimResize(options.table),
  runtimeClassAdmission(options.table),
  ...certificateAdmission(options.escalation.authorizer),
  defaultIngressClass(options.table),
  denyServiceExternalIPs,
  podTopologyLabels(options.table),
  nodeDeclaredFeatureValidator(options.table),
  podResizeValidator(options.table),
  mutatingAdmissionPolicy(policies(options)),
  mutatingAdmissionWebhook({ ...options, ...options.webhooks }),
  serviceAllocationAdmission,
  rbacEscalation(options.escalation),
  validatingAdmissionPolicy(policies(options)),
  validatingAdmissionWebhook({ ...options, ...options.webhooks }),
  resourceQuotaAdmission(options),
];

const policies = ({ table, escalation, policyMetrics }: AdmissionSources): PolicyPluginOptions => ({
  table,
  authorizer: escalation.authorizer,
  metrics: policyMetrics,
});
