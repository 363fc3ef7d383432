import { formatDuration } from "../config/duration.ts";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";
import { placementJson } from "../config/placement.ts";

/** The body of `/configz`: the node's configuration as its file would have it, defaults included. */
export function configz(configuration: KubeletConfiguration): object {
  const { anonymousAuth, webhookAuth, authorizationMode } = configuration;
  return {
    kubeletconfig: {
      kind: "KubeletConfiguration",
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      authentication: {
        x509: {},
        webhook: { enabled: webhookAuth, cacheTTL: "2m0s" },
        anonymous: { enabled: anonymousAuth },
      },
      authorization: {
        mode: authorizationMode,
        webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" },
      },
      nodeStatusUpdateFrequency: "10s",
      nodeStatusReportFrequency: "5m0s",
      nodeLeaseDurationSeconds: 40,
      imageMinimumGCAge: formatDuration(configuration.imageMinimumGCAgeMs),
      imageMaximumGCAge: formatDuration(configuration.imageMaximumGCAgeMs),
      imageGCHighThresholdPercent: configuration.imageGCHighThresholdPercent,
      imageGCLowThresholdPercent: configuration.imageGCLowThresholdPercent,
      maxPods: configuration.maxPods,
      podPidsLimit: configuration.podPidsLimit,
      resolvConf: configuration.resolvConf,
      serializeImagePulls: configuration.serializeImagePulls,
      ...(configuration.maxParallelImagePulls > 0
        ? { maxParallelImagePulls: configuration.maxParallelImagePulls }
        : {}),
      imagePullCredentialsVerificationPolicy: configuration.imagePullCredentialsVerificationPolicy,
      ...(configuration.preloadedImagesVerificationAllowlist.length === 0
        ? {}
        : { preloadedImagesVerificationAllowlist: configuration.preloadedImagesVerificationAllowlist }),
      ...(configuration.allowedUnsafeSysctls.length === 0
        ? {}
        : { allowedUnsafeSysctls: configuration.allowedUnsafeSysctls }),
      evictionHard: configuration.evictionHard,
      evictionSoft: configuration.evictionSoft,
      evictionSoftGracePeriod: Object.fromEntries(
        Object.entries(configuration.evictionSoftGracePeriodMs).map(([signal, ms]) => [signal, formatDuration(ms)]),
      ),
      evictionMinimumReclaim: configuration.evictionMinimumReclaim,
      evictionPressureTransitionPeriod: formatDuration(configuration.evictionPressureTransitionPeriodMs),
      evictionMaxPodGracePeriod: configuration.evictionMaxPodGracePeriodSeconds,
      containerLogMaxSize: String(configuration.containerLogMaxBytes),
      containerLogMaxFiles: configuration.containerLogMaxFiles,
      kubeReserved: configuration.kubeReserved,
      systemReserved: configuration.systemReserved,
      ...placementJson(configuration.placement),
      streamingConnectionIdleTimeout: formatDuration(configuration.streamingConnectionIdleTimeoutMs),
      enableDebuggingHandlers: configuration.enableDebuggingHandlers,
      featureGates: configuration.featureGates,
      shutdownGracePeriod: formatDuration(configuration.shutdownGracePeriodMs),
      shutdownGracePeriodCriticalPods: formatDuration(configuration.shutdownGracePeriodCriticalPodsMs),
      ...(configuration.shutdownGracePeriodByPodPriority.length === 0
        ? {}
        : {
            shutdownGracePeriodByPodPriority: configuration.shutdownGracePeriodByPodPriority.map((one) => ({
              priority: one.priority,
              shutdownGracePeriodSeconds: one.graceSeconds,
            })),
          }),
    },
  };
}
