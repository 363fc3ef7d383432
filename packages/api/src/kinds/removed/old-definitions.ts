import type { DefinitionNotation } from "../../schema/notation.ts";

/** An object of a removed version: what all objects have, and a spec and status of the given definitions. */
const object = (place: string, kind: string, spec: string, status: string): Record<string, DefinitionNotation> => ({
  [`${place}.${kind}`]: {
    name: `io.k8s.api.${place}.${kind}`,
    fields: {
      apiVersion: "string",
      kind: "string",
      metadata: "@meta.v1.ObjectMeta",
      spec: `@${spec}`,
      ...(status !== "" && { status: `@${status}` }),
    },
  },
});

const part = (definition: string, fields: Readonly<Record<string, string>>, required: readonly string[] = []) => ({
  [definition]: { name: `io.k8s.api.${definition}`, fields, required },
});

const deploymentSpec = {
  minReadySeconds: "int32",
  paused: "boolean",
  progressDeadlineSeconds: "int32",
  replicas: "int32",
  revisionHistoryLimit: "int32",
  rollbackTo: "@extensions.v1beta1.RollbackConfig",
  selector: "@meta.v1.LabelSelector",
  strategy: "@apps.v1.DeploymentStrategy;retainKeys",
  template: "@core.v1.PodTemplateSpec",
};

/** The forms of removed versions that are not today's: of Kubernetes' published documents of 1.15 to 1.25. */
export const oldDefinitions: Readonly<Record<string, DefinitionNotation>> = {
  ...object("extensions.v1beta1", "Ingress", "extensions.v1beta1.IngressSpec", "networking.v1.IngressStatus"),
  ...part("extensions.v1beta1.IngressSpec", {
    backend: "@extensions.v1beta1.IngressBackend",
    ingressClassName: "string",
    rules: "[]@extensions.v1beta1.IngressRule;list=atomic",
    tls: "[]@networking.v1.IngressTLS;list=atomic",
  }),
  ...part("extensions.v1beta1.IngressRule", { host: "string", http: "@extensions.v1beta1.HTTPIngressRuleValue" }),
  ...part("extensions.v1beta1.HTTPIngressRuleValue", {
    paths: "[]@extensions.v1beta1.HTTPIngressPath;list=atomic",
  }),
  ...part("extensions.v1beta1.HTTPIngressPath", {
    backend: "@extensions.v1beta1.IngressBackend",
    path: "string",
    pathType: "string",
  }),
  ...part("extensions.v1beta1.IngressBackend", {
    resource: "@core.v1.TypedLocalObjectReference",
    serviceName: "string",
    servicePort: "intOrString",
  }),

  ...object("extensions.v1beta1", "Deployment", "extensions.v1beta1.DeploymentSpec", "apps.v1.DeploymentStatus"),
  ...part("extensions.v1beta1.DeploymentSpec", deploymentSpec),
  ...part("extensions.v1beta1.RollbackConfig", { revision: "int64" }),
  ...object("extensions.v1beta1", "DaemonSet", "extensions.v1beta1.DaemonSetSpec", "apps.v1.DaemonSetStatus"),
  ...part("extensions.v1beta1.DaemonSetSpec", {
    minReadySeconds: "int32",
    revisionHistoryLimit: "int32",
    selector: "@meta.v1.LabelSelector",
    template: "@core.v1.PodTemplateSpec",
    templateGeneration: "int64",
    updateStrategy: "@apps.v1.DaemonSetUpdateStrategy",
  }),

  ...object(
    "autoscaling.v2beta1",
    "HorizontalPodAutoscaler",
    "autoscaling.v2beta1.HorizontalPodAutoscalerSpec",
    "autoscaling.v2beta1.HorizontalPodAutoscalerStatus",
  ),
  ...part("autoscaling.v2beta1.HorizontalPodAutoscalerSpec", {
    maxReplicas: "int32",
    metrics: "[]object;list=atomic",
    minReplicas: "int32",
    scaleTargetRef: "@autoscaling.v2.CrossVersionObjectReference",
  }),
  ...part("autoscaling.v2beta1.HorizontalPodAutoscalerStatus", {
    conditions: "[]@autoscaling.v2.HorizontalPodAutoscalerCondition;list=map:type;merge=type",
    currentMetrics: "[]object;list=atomic",
    currentReplicas: "int32",
    desiredReplicas: "int32",
    lastScaleTime: "time",
    observedGeneration: "int64",
  }),

  ...object(
    "apiextensions.v1beta1",
    "CustomResourceDefinition",
    "apiextensions.v1beta1.CustomResourceDefinitionSpec",
    "apiextensions.v1.CustomResourceDefinitionStatus",
  ),
  ...part("apiextensions.v1beta1.CustomResourceDefinitionSpec", {
    additionalPrinterColumns: "[]@apiextensions.v1beta1.CustomResourceColumnDefinition;list=atomic",
    conversion: "@apiextensions.v1beta1.CustomResourceConversion",
    group: "string",
    names: "@apiextensions.v1.CustomResourceDefinitionNames",
    preserveUnknownFields: "boolean",
    scope: "string",
    subresources: "@apiextensions.v1.CustomResourceSubresources",
    validation: "@apiextensions.v1.CustomResourceValidation",
    version: "string",
    versions: "[]@apiextensions.v1beta1.CustomResourceDefinitionVersion;list=atomic",
  }),
  ...part("apiextensions.v1beta1.CustomResourceColumnDefinition", {
    JSONPath: "string",
    description: "string",
    format: "string",
    name: "string",
    priority: "int32",
    type: "string",
  }),
  ...part("apiextensions.v1beta1.CustomResourceConversion", {
    conversionReviewVersions: "[]string;list=atomic",
    strategy: "string",
    webhookClientConfig: "@apiextensions.v1.WebhookClientConfig",
  }),
  ...part("apiextensions.v1beta1.CustomResourceDefinitionVersion", {
    additionalPrinterColumns: "[]@apiextensions.v1beta1.CustomResourceColumnDefinition;list=atomic",
    deprecated: "boolean",
    deprecationWarning: "string",
    name: "string",
    schema: "@apiextensions.v1.CustomResourceValidation",
    served: "boolean",
    storage: "boolean",
    subresources: "@apiextensions.v1.CustomResourceSubresources",
  }),
};
