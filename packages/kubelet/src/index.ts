/** The agent of a node: makes the containers of its pods run, and reports what became of them. */

export {
  ConfigurationError,
  defaultConfiguration,
  type KubeletConfiguration,
  parseKubeletConfiguration,
} from "./config/kubelet-configuration.ts";
export { type DiskShortage, diskShortages } from "./eviction/disk-shortage.ts";
export {
  type CredentialProvider,
  type CredentialProviders,
  parseCredentialProviders,
} from "./images/credential-provider-config.ts";
export { startKubelet } from "./kubelet.ts";
export type {
  Kubelet,
  KubeletHost,
  KubeletOptions,
  NodeIdentity,
  NodeMachine,
  NodeServerOptions,
} from "./options.ts";
