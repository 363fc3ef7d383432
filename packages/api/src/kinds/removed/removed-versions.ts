import type { DynamicObject } from "../../object.ts";
import { firstAutoscaler } from "./autoscaler.ts";
import { firstCustomResourceDefinition } from "./custom-resource-definition.ts";
import { oldIngress } from "./ingress.ts";
import { objectIn, objectsIn } from "./members.ts";
import type { OldForm, RemovedVersion } from "./removed-version.ts";
import { oldDaemonSet, oldDeployment, oldStatefulSet, selectorByTemplate } from "./workloads.ts";

/** A removed version, and the resource of today that it is a view of. */
export interface RemovedEntry extends RemovedVersion {
  readonly today: { readonly group: string; readonly version: string; readonly plural: string };
}

/** Usages name the signer that today must be named. */
const oldSigningRequest: OldForm = {
  schema: "certificates.v1.CertificateSigningRequest",
  defaults(request: DynamicObject) {
    const spec = objectIn(request, "spec");
    spec.usages ??= ["digital signature", "key encipherment"];
    const forClients = Array.isArray(spec.usages) && spec.usages.includes("client auth");
    spec.signerName ||= forClients ? "kubernetes.io/kube-apiserver-client" : "kubernetes.io/legacy-unknown";
  },
};

const oldWebhooks = (schema: string): OldForm => ({
  schema,
  defaults(configuration: DynamicObject) {
    for (const webhook of objectsIn(configuration, "webhooks")) {
      webhook.failurePolicy ??= "Ignore";
      webhook.matchPolicy ??= "Exact";
      webhook.timeoutSeconds ??= 30;
      webhook.admissionReviewVersions ??= ["v1beta1"];
      // Today's must say; what was unknown was called all the same.
      if (webhook.sideEffects === undefined || webhook.sideEffects === "Unknown") webhook.sideEffects = "None";
    }
  },
});

interface Removal {
  /** Minor versions: deprecated in, removed in. */
  readonly in: readonly [deprecated: number, removed: number];
  /** Old form by plural, where it differs. */
  readonly forms?: Readonly<Record<string, OldForm>>;
}

/** `OLD GROUP/VERSION → TODAY'S: PLURALS`, with when it went. */
function removal(from: string, to: string, plurals: string, { in: [deprecatedIn, removedIn], forms = {} }: Removal) {
  const [group = "", version = ""] = from.split("/");
  const [todaysGroup = "", todaysVersion = ""] = to.split("/");
  return plurals.split(" ").map((plural): RemovedEntry => {
    const form = forms[plural];
    const today = { group: todaysGroup, version: todaysVersion, plural };
    return { group, version, deprecatedIn, removedIn, today, ...(form !== undefined && { form }) };
  });
}

const workloads = {
  deployments: oldDeployment,
  daemonsets: oldDaemonSet,
  replicasets: selectorByTemplate("apps.v1.ReplicaSet"),
};
const authorizationKinds = "roles rolebindings clusterroles clusterrolebindings";
const authorization = "rbac.authorization.k8s.io";
const admission = "admissionregistration.k8s.io";

/**
 * Every version that is still accepted, with the releases in which it was deprecated and removed.
 *
 * @see https://kubernetes.io/docs/reference/using-api/deprecation-guide/
 */
export const removedVersions: readonly RemovedEntry[] = [
  removal("extensions/v1beta1", "apps/v1", "deployments daemonsets replicasets", { in: [8, 16], forms: workloads }),
  removal("extensions/v1beta1", "networking.k8s.io/v1", "ingresses", {
    in: [14, 22],
    forms: { ingresses: oldIngress },
  }),
  removal("extensions/v1beta1", "networking.k8s.io/v1", "networkpolicies", { in: [9, 16] }),
  removal("networking.k8s.io/v1beta1", "networking.k8s.io/v1", "ingresses", {
    in: [19, 22],
    forms: { ingresses: oldIngress },
  }),
  removal("networking.k8s.io/v1beta1", "networking.k8s.io/v1", "ingressclasses", { in: [19, 22] }),
  removal("apps/v1beta1", "apps/v1", "deployments statefulsets controllerrevisions", {
    in: [8, 16],
    forms: { deployments: oldDeployment, statefulsets: oldStatefulSet },
  }),
  removal("apps/v1beta2", "apps/v1", "deployments daemonsets replicasets statefulsets controllerrevisions", {
    in: [9, 16],
  }),
  removal("batch/v1beta1", "batch/v1", "cronjobs", { in: [21, 25] }),
  removal("policy/v1beta1", "policy/v1", "poddisruptionbudgets", { in: [21, 25] }),
  removal("autoscaling/v2beta1", "autoscaling/v2", "horizontalpodautoscalers", {
    in: [22, 25],
    forms: { horizontalpodautoscalers: firstAutoscaler },
  }),
  removal("autoscaling/v2beta2", "autoscaling/v2", "horizontalpodautoscalers", { in: [23, 26] }),
  removal(`${authorization}/v1alpha1`, `${authorization}/v1`, authorizationKinds, { in: [17, 22] }),
  removal(`${authorization}/v1beta1`, `${authorization}/v1`, authorizationKinds, { in: [17, 22] }),
  removal("apiextensions.k8s.io/v1beta1", "apiextensions.k8s.io/v1", "customresourcedefinitions", {
    in: [16, 22],
    forms: { customresourcedefinitions: firstCustomResourceDefinition },
  }),
  removal(`${admission}/v1beta1`, `${admission}/v1`, "mutatingwebhookconfigurations validatingwebhookconfigurations", {
    in: [16, 22],
    forms: {
      mutatingwebhookconfigurations: oldWebhooks("admissionregistration.v1.MutatingWebhookConfiguration"),
      validatingwebhookconfigurations: oldWebhooks("admissionregistration.v1.ValidatingWebhookConfiguration"),
    },
  }),
  removal("apiregistration.k8s.io/v1beta1", "apiregistration.k8s.io/v1", "apiservices", { in: [19, 22] }),
  removal("certificates.k8s.io/v1beta1", "certificates.k8s.io/v1", "certificatesigningrequests", {
    in: [19, 22],
    forms: { certificatesigningrequests: oldSigningRequest },
  }),
  removal("coordination.k8s.io/v1beta1", "coordination.k8s.io/v1", "leases", { in: [19, 22] }),
  removal("discovery.k8s.io/v1beta1", "discovery.k8s.io/v1", "endpointslices", { in: [21, 25] }),
  removal("node.k8s.io/v1beta1", "node.k8s.io/v1", "runtimeclasses", { in: [22, 25] }),
  removal("scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1", "priorityclasses", { in: [14, 22] }),
  removal("storage.k8s.io/v1beta1", "storage.k8s.io/v1", "storageclasses csidrivers csinodes volumeattachments", {
    in: [19, 22],
  }),
  removal("storage.k8s.io/v1beta1", "storage.k8s.io/v1", "csistoragecapacities", { in: [24, 27] }),
  removal(
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowschemas prioritylevelconfigurations",
    {
      in: [29, 32],
    },
  ),
].flat();
