/** Container runtimes behind one interface shaped like Kubernetes' Container Runtime Interface. */
export type { PodNetwork } from "./containerd/cni.ts";
export { connectContainerd } from "./containerd/connect-containerd.ts";
export {
  type ContainerdCommand,
  type ContainerdConfig,
  containerdCommand,
  containerdSocket,
  prepareContainerd,
  type RegistryConfig,
} from "./containerd/containerd-config.ts";
export { ContainerdRuntime, type ContainerdRuntimeOptions } from "./containerd/containerd-runtime.ts";
export { pauseImageName } from "./containerd/pause-image.ts";
export { writePodNetwork } from "./containerd/pod-network-files.ts";
export { removeAllPortRules } from "./containerd/port-notes.ts";
export { ensureHelloImages, type HelloVersion, helloImage, helloImageName } from "./hello-image.ts";
export { buildImage, type ImageDefinition, type ImageFile } from "./image-builder.ts";
export { normalizeImageName } from "./image-name.ts";
export { rpcErrorText } from "./rpc-error-text.ts";
export * from "./runtime.ts";
export { type ContainerLogs, fileLogs, MemoryLogs } from "./simulated/container-logs.ts";
export { SimulatedRuntime, type SimulatedRuntimeOptions } from "./simulated/simulated-runtime.ts";
