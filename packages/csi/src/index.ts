/** The Container Storage Interface: its messages and services, a client, and the driver for volumes on a node's own disk. */
export { CsiClient } from "./csi-client.ts";
export {
  type HostpathDriverOptions,
  hostpathDriverName,
  hostpathTopologyKey,
  startHostpathDriver,
} from "./hostpath/driver.ts";
export { KeyedQueue } from "./keyed-queue.ts";
export type * from "./messages.ts";
export type * from "./node-messages.ts";
export type * from "./publish-messages.ts";
export { callRelay, controllerFolder, type RelayAnswer, relayCall } from "./relay.ts";
export {
  accessMode,
  controllerFeature,
  controllerService,
  identityService,
  nodeFeature,
  nodeService,
  pluginFeature,
  registrationService,
} from "./services.ts";
