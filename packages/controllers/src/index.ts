/** The control loops that make the cluster what its objects say. One folder each: `plan.ts` decides, `controller.ts` acts. */
export { allControllers, type ControllerSettings } from "./all-controllers.ts";
export type { CertificateSigner } from "./certificate-signing/controller.ts";
export type { ReadApi } from "./horizontal-pod-autoscaler/metrics-apis.ts";
export type { PodRangeSettings } from "./node-ipam/pod-ranges.ts";
export { type ResourceSet, servedResourceSet } from "./resource-set.ts";
export { type ClusterControllers, startControllers } from "./start-controllers.ts";
export type {
  CreatedVolume,
  KnownSnapshot,
  Segments,
  StorageDriver,
  TakenSnapshot,
  WantedVolume,
} from "./storage-driver.ts";
export { snapshotDefinitions } from "./volume-snapshot/snapshot-definitions.ts";
