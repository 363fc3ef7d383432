import { refusals } from "@skiff/api";
import type { Loop } from "@skiff/control-loop";
import { accountTokenController } from "./account-token/controller.ts";
import type { TokenSurroundings } from "./account-token/plan.ts";
import { apiServiceController, type CheckDiscovery } from "./api-service/controller.ts";
import { attachDetachController } from "./attach-detach/controller.ts";
import { bootstrapSignerController } from "./bootstrap-signer/controller.ts";
import { certificateApprovingController } from "./certificate-approving/controller.ts";
import { certificateCleanerController } from "./certificate-cleaner/controller.ts";
import { type CertificateSigner, certificateSigningController } from "./certificate-signing/controller.ts";
import { clusterRoleAggregationController } from "./cluster-role-aggregation/controller.ts";
import { cronJobController } from "./cron-job/controller.ts";
import { daemonSetController } from "./daemon-set/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { deviceTaintEvictionController } from "./device-taint-eviction/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointSliceController } from "./endpoint-slice/controller.ts";
import { endpointSliceMirroringController } from "./endpoint-slice-mirroring/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volume/controller.ts";
import {
  type ExtensionAuthentication,
  extensionAuthenticationController,
} from "./extension-authentication/controller.ts";
import { flowControlControllers } from "./flow-control/controller.ts";
import { garbageCollector } from "./garbage-collector/controller.ts";
import { horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/controller.ts";
import { metricsFrom, type ReadApi } from "./horizontal-pod-autoscaler/metrics-apis.ts";
import { jobController } from "./job/controller.ts";
import { jobOrphanController } from "./job/orphans.ts";
import { kubeletServingApprovingController } from "./kubelet-serving-approving/controller.ts";
import { legacyTokenCleaner } from "./legacy-token-cleaner/controller.ts";
import { type EmptyAggregated, namespaceController } from "./namespace/controller.ts";
import { nodeDnsController } from "./node-dns/controller.ts";
import { nodeIpamController } from "./node-ipam/controller.ts";
import type { PodRangeSettings } from "./node-ipam/pod-ranges.ts";
import { nodeLifecycleController } from "./node-lifecycle/controller.ts";
import { nodeTtlController } from "./node-ttl/controller.ts";
import { claimBinder } from "./persistent-volume/claim-controller.ts";
import { type ReclaimSettings, volumeBinder } from "./persistent-volume/volume-controller.ts";
import { podGcController } from "./pod-gc/controller.ts";
import { policyStatusController } from "./policy-status/controller.ts";
import { replicaSetController, replicationController } from "./replica-set/controller.ts";
import { resourceClaimControllers } from "./resource-claim/controller.ts";
import { resourceQuotaController } from "./resource-quota/controller.ts";
import type { ResourceSet } from "./resource-set.ts";
import { rootCertificateController } from "./root-certificate/controller.ts";
import { serviceAccountController } from "./service-account/controller.ts";
import { addressOwnerController } from "./service-address/address-controller.ts";
import { serviceAddressController } from "./service-address/service-controller.ts";
import { serviceCidrController } from "./service-cidr/controller.ts";
import { statefulSetController } from "./stateful-set/controller.ts";
import type { StorageDriver } from "./storage-driver.ts";
import {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from "./storage-protection/controller.ts";
import { taintEvictionController } from "./taint-eviction/controller.ts";
import { tokenCleanerController } from "./token-cleaner/controller.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished/controller.ts";
import { volumeCapacity } from "./volume-capacity/controller.ts";
import { volumeModifier } from "./volume-modifier/controller.ts";
import { volumeDeleter, volumeProvisioner } from "./volume-provisioner/controller.ts";
import { volumeResizer } from "./volume-resizer/controller.ts";
import { snapshotBinder, snapshotTaker } from "./volume-snapshot/controller.ts";

/** What differs from cluster to cluster. */
export interface ControllerSettings {
  /** PEM of the authority that pods trust the API server by; no ConfigMap `kube-root-ca.crt` is written where absent. */
  readonly rootCertificate?: string;
  /** Signs tokens for Secrets of type `kubernetes.io/service-account-token`; they stay empty where absent. */
  readonly issueAccountToken?: TokenSurroundings["issue"];
  /** Signs what is approved for Kubernetes' own signers; nothing is signed where absent. */
  readonly certificateSigner?: CertificateSigner;
  /** How long a node may be silent before it counts as lost; 40 seconds where absent. */
  readonly nodeMonitorGraceMs?: number;
  /** What aggregated API servers are told of the front proxy; no ConfigMap is written where absent. */
  readonly extensionAuthentication?: ExtensionAuthentication;
  /** How aggregated API servers are reached; where absent, none can be. */
  readonly checkDiscovery?: CheckDiscovery;
  /** How namespaces are emptied of their objects; they are left to them where absent. */
  readonly emptyAggregated?: EmptyAggregated;
  /** Reads the metrics APIs for autoscalers; they tell that there are none where absent. */
  readonly readMetrics?: ReadApi;
  /** Drivers that volumes are made with from here; others bring their own provisioners along. */
  readonly storageDrivers?: readonly StorageDriver[];
  /** How volumes whose claim has gone are reclaimed. */
  readonly reclaim?: ReclaimSettings;
  /** What nodes are given ranges for their pods from; they get none where absent. */
  readonly podRanges?: PodRangeSettings;
  /** How many ended pods are kept; 12500 where absent. */
  readonly terminatedPodThreshold?: number;
}

/** Every controller of the cluster. Some remember what they saw, so each cluster gets its own. */
export function allControllers(resources: ResourceSet, settings: ControllerSettings): readonly Loop[] {
  return [
    namespaceController(resources, settings.emptyAggregated),
    serviceAccountController,
    clusterRoleAggregationController,
    bootstrapSignerController,
    tokenCleanerController,
    legacyTokenCleaner,
    ...tokenControllers(settings),
    certificateApprovingController,
    kubeletServingApprovingController,
    certificateCleanerController,
    ...(settings.certificateSigner === undefined ? [] : [certificateSigningController(settings.certificateSigner)]),
    ...(settings.rootCertificate === undefined ? [] : [rootCertificateController(settings.rootCertificate)]),
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController(),
    jobController(),
    jobOrphanController,
    cronJobController,
    ttlAfterFinishedController,
    deploymentController,
    endpointsController,
    endpointSliceController(),
    endpointSliceMirroringController,
    nodeLifecycleController({ graceMs: settings.nodeMonitorGraceMs ?? 40_000 }),
    ...(settings.podRanges === undefined ? [] : [nodeIpamController(settings.podRanges), nodeDnsController]),
    nodeTtlController(),
    taintEvictionController(),
    deviceTaintEvictionController(),
    podGcController({ terminatedPodThreshold: settings.terminatedPodThreshold ?? 12_500 }),
    garbageCollector(resources),
    disruptionController(resources),
    horizontalPodAutoscalerController(resources, metricsFrom(settings.readMetrics ?? noMetrics, resources)),
    resourceQuotaController(resources),
    ephemeralVolumeController,
    claimBinder(),
    attachDetachController(),
    volumeBinder(settings.reclaim ?? {}),
    ...resourceClaimControllers,
    serviceCidrController,
    serviceAddressController(),
    addressOwnerController,
    ...(settings.storageDrivers ?? []).flatMap(storageControllers),
    snapshotBinder,
    claimProtectionController,
    volumeProtectionController,
    attributesClassProtectionController,
    ...flowControlControllers,
    policyStatusController,
    apiServiceController(settings.checkDiscovery ?? unreachable),
    ...(settings.extensionAuthentication === undefined
      ? []
      : [extensionAuthenticationController(settings.extensionAuthentication)]),
  ];
}

const storageControllers = (driver: StorageDriver): readonly Loop[] => [
  volumeProvisioner(driver),
  volumeDeleter(driver),
  volumeResizer(driver),
  volumeModifier(driver),
  volumeCapacity(driver),
  snapshotTaker(driver),
];

const unreachable: CheckDiscovery = () =>
  Promise.reject(new Error("aggregated API servers cannot be reached from here"));

const noMetrics: ReadApi = () => Promise.reject(refusals.noSuchPath());

function tokenControllers({ rootCertificate, issueAccountToken: issue }: ControllerSettings): readonly Loop[] {
  if (rootCertificate === undefined || issue === undefined) return [];
  return [accountTokenController({ rootCertificate, issue })];
}
