import type { Clock, Random } from "@skiff/base";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { certificateAdmission } from "./certificates.ts";
import { persistentVolumeClaimResize } from "./claim-resize.ts";
import { defaultIngressClass, defaultStorageClass } from "./default-classes.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { podPartsAdmission } from "./pod-parts.ts";
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

/** The plugins that are always on, in Kubernetes' order. */
export const standardAdmission = (options: {
  readonly table: ResourceTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly escalation: EscalationSources;
  readonly webhooks: WebhookSources;
  readonly policyMetrics: PolicyMetrics;
}): readonly AdmissionPlugin[] => [
  namespaceLifecycle(options.table),
  limitRanger(options.table),
  serviceAccountAdmission(options),
  nodeRestriction(options.table),
  taintNodesByCondition,
  podSecurity(options.table),
  priorityAdmission(options.table),
  defaultTolerationSeconds,
  defaultStorageClass(options.table),
  storageObjectInUseProtection,
  persistentVolumeClaimResize(options.table),
  runtimeClassAdmission(options.table),
  ...certificateAdmission(options.escalation.authorizer),
  defaultIngressClass(options.table),
  podTopologyLabels(options.table),
  mutatingAdmissionPolicy(policies(options)),
  mutatingAdmissionWebhook({ ...options, ...options.webhooks }),
  serviceAllocationAdmission,
  podPartsAdmission,
  rbacEscalation(options.escalation),
  validatingAdmissionPolicy(policies(options)),
  validatingAdmissionWebhook({ ...options, ...options.webhooks }),
  resourceQuotaAdmission(options),
];

const policies = ({
  table,
  escalation,
  policyMetrics,
}: {
  readonly table: ResourceTable;
  readonly escalation: EscalationSources;
  readonly policyMetrics: PolicyMetrics;
}): PolicyPluginOptions => ({ table, authorizer: escalation.authorizer, metrics: policyMetrics });
