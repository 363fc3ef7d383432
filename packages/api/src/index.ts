/** The vocabulary of Kubernetes 1.36: kinds, schemas, rules, selectors, quantities, patches. Pure: no I/O. */

export * from "./built-in.ts";
export { correlatedItem } from "./custom-resources/correlate.ts";
export { setValueAt, simplePath, valueAt } from "./custom-resources/custom-columns.ts";
export * from "./custom-resources/custom-resource.ts";
export type { VersionConverter } from "./custom-resources/stored-form.ts";
export { type RuleText, type StructuralSchema, structuralSchema } from "./custom-resources/structural-schema.ts";
export { memberPath } from "./custom-resources/validate-value.ts";
export * from "./define-resource.ts";
export * from "./field-error.ts";
export type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  Validation,
  Variable,
  WebhookClientConfig,
} from "./generated/types/admissionregistration-v1.ts";
export type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  WebhookConversion,
} from "./generated/types/apiextensions-v1.ts";
export type { APIService, APIServiceCondition } from "./generated/types/apiregistration-v1.ts";
export type * from "./generated/types/apps-v1.ts";
export type { TokenReview } from "./generated/types/authentication-v1.ts";
export type { SubjectAccessReview } from "./generated/types/authorization-v1.ts";
export type * from "./generated/types/autoscaling-v2.ts";
export type * from "./generated/types/batch-v1.ts";
export type * from "./generated/types/certificates-v1.ts";
export type { PodCertificateRequest } from "./generated/types/certificates-v1beta1.ts";
export type * from "./generated/types/coordination-v1.ts";
export type * from "./generated/types/core-v1.ts";
export type {
  Endpoint,
  EndpointConditions,
  EndpointHints,
  EndpointPort as EndpointSlicePort,
  EndpointSlice,
} from "./generated/types/discovery-v1.ts";
export type {
  FlowSchema,
  FlowSchemaCondition,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  Subject as FlowSubject,
} from "./generated/types/flowcontrol-v1.ts";
export type {
  APIGroup,
  APIGroupList,
  APIResource,
  APIResourceList,
  APIVersions,
  Condition,
  DeleteOptions,
  FieldSelectorRequirement,
  GroupResource,
  GroupVersionForDiscovery,
  LabelSelector,
  LabelSelectorRequirement,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  Preconditions,
  ServerAddressByClientCIDR,
  ShardInfo,
  Status,
  StatusCause,
  StatusDetails,
} from "./generated/types/meta-v1.ts";
export type { IPAddress, ServiceCIDR } from "./generated/types/networking-v1.ts";
export type * from "./generated/types/policy-v1.ts";
export type * from "./generated/types/rbac-v1.ts";
export type {
  AllocatedDeviceStatus,
  AllocationResult,
  CapacityRequestPolicy,
  CapacityRequirements,
  Device,
  DeviceAllocationConfiguration,
  DeviceAttribute,
  DeviceCapacity,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  DeviceRequestAllocationResult,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  ResourceClaim as DynamicResourceClaim,
  ResourceClaimSpec,
  ResourceClaimTemplate,
  ResourceSlice,
} from "./generated/types/resource-v1.ts";
export type * from "./generated/types/storage-v1.ts";
export * from "./int-or-string.ts";
export * from "./json-path.ts";
export { type ApiApproval, approvalOf } from "./kinds/apiextensions-v1/api-approval.ts";
export * from "./kinds/batch-v1/cron-schedule.ts";
export * from "./kinds/batch-v1/job-indexes.ts";
export * from "./kinds/batch-v1/time-zone.ts";
export { age, createdAt } from "./kinds/columns.ts";
export { checkNodeAffinity } from "./kinds/core-v1/affinity-validation.ts";
export { Endpoints } from "./kinds/core-v1/endpoints.ts";
export { migratedVolumeDrivers } from "./kinds/core-v1/migrated-volumes.ts";
export { validatePodBinding } from "./kinds/core-v1/pod-subresource-validation.ts";
export { isExtendedResource } from "./kinds/core-v1/resource-validation.ts";
export * from "./kinds/declared-features.ts";
export { defaultClass, defaultStorageClass } from "./kinds/default-class.ts";
export * from "./kinds/definitions.ts";
export * from "./kinds/flowcontrol-v1/bootstrap.ts";
export { humanDuration, since } from "./kinds/human-duration.ts";
export { metricsResources } from "./kinds/metrics-definitions.ts";
export * from "./kinds/node-selector.ts";
export * from "./kinds/ownership.ts";
export { podRangeAnnotation } from "./kinds/pod-range-annotation.ts";
export * from "./kinds/pod-requests.ts";
export * from "./kinds/pod-state.ts";
export * from "./kinds/pod-template-hash.ts";
export { type QosClass, qosClass } from "./kinds/quality-of-service.ts";
export { allocatedDevices, deviceId } from "./kinds/resource-v1/claim-status-validation.ts";
export * from "./kinds/resource-v1/device-resources.ts";
export * from "./kinds/table-columns.ts";
export * from "./kinds/taints.ts";
export { selectorText } from "./kinds/workload-columns.ts";
export * from "./managed-fields/apply.ts";
export type { FieldWriter } from "./managed-fields/entries.ts";
export type { FieldSet } from "./managed-fields/field-set.ts";
export { overlayConfiguration } from "./managed-fields/overlay.ts";
export * from "./managed-fields/update.ts";
export * from "./object.ts";
export type { Descriptions } from "./open-api/descriptions.ts";
export * from "./open-api/publish.ts";
export * from "./patch/configuration.ts";
export * from "./patch/json-patch.ts";
export * from "./patch/merge-patch.ts";
export * from "./patch/patch-object.ts";
export * from "./patch/strategic-merge-patch.ts";
export * from "./protobuf/decode-body.ts";
export * from "./protobuf/envelope.ts";
export { metricsMessage } from "./protobuf/metrics-messages.ts";
export * from "./protobuf/watch-frame.ts";
export * from "./quantity.ts";
export * from "./quota/amounts.ts";
export { countName, type QuotaEvaluator, type QuotaSources } from "./quota/evaluator.ts";
export * from "./quota/quota-usage.ts";
export * from "./resource-definition.ts";
export * from "./schema/decode.ts";
export { DecodeFailure } from "./schema/decode-failure.ts";
export * from "./schema/definition-schema.ts";
export * from "./schema/json-schema.ts";
export * from "./schema/notation.ts";
export { conformTime } from "./schema/scalars.ts";
export * from "./schema/schema.ts";
export * from "./selectors/field-selector.ts";
export * from "./selectors/label-selector.ts";
export type { LabelOperator, LabelRequirement, Labels } from "./selectors/requirement.ts";
export { SelectorError } from "./selectors/selector-error.ts";
export * from "./status-error.ts";
export * from "./transport.ts";
export { checkQualifiedName, type Findings } from "./validation/checks.ts";
export * from "./validation/names.ts";
export { qualifiedName } from "./validation/names.ts";
export {
  checkFieldManager,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "./validation/object-meta.ts";
export * from "./x509/certificate-request.ts";
