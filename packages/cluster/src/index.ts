/** The composition root: what a cluster consists of on this machine, how it is started, kept running and taken away. */

export { absoluteKubeletArg } from "./agent/kubelet-args.ts";
export type { Restored } from "./backup/backup.ts";
export type { Datastore } from "./datastore/datastore.ts";
export { type ApiServerFlag, type ApiServerFlags, apiServerFlags } from "./identity/api-server-flags.ts";
export { type TokenDetails, type TokenUsage, tokenUsages } from "./join/bootstrap-token.ts";
export type { CreatedToken, TokenWishes } from "./join/tokens.ts";
export { contextName, userKubeconfigPath } from "./kubeconfig/kubeconfig.ts";
export { fullDisks, fullDiskText } from "./lifecycle/disk-space.ts";
export { examineMachine, type Finding } from "./lifecycle/doctor.ts";
export { deleteCluster, downCluster } from "./lifecycle/down.ts";
export type { JoinOptions, JoinResult } from "./lifecycle/join.ts";
export { type Machine, stateFolder, systemMachine } from "./lifecycle/machine.ts";
export type { StartReport } from "./lifecycle/prepare-home.ts";
export { prepareServer, type ServerPlan } from "./lifecycle/prepare-server.ts";
export { type ProcessState, processStates } from "./lifecycle/running.ts";
export type { SelfCommand } from "./lifecycle/self-command.ts";
export { type ClusterStatus, clusterStatus } from "./lifecycle/status.ts";
export { type UpOptions, type UpResult, upCluster } from "./lifecycle/up.ts";
export { type FurtherNode, furtherNodes } from "./nodes/further-nodes.ts";
export {
  backupCluster,
  connectNodeRuntime,
  createToken,
  deleteTokens,
  joinCluster,
  listTokens,
  restoreCluster,
  runAgent,
  runServer,
  runSupervisor,
} from "./processes.ts";
export { clustersIn } from "./settings/choose.ts";
export { type ClusterPaths, clusterPaths, defaultHome } from "./settings/paths.ts";
export { type PodRangeFlags, podRangesOf } from "./settings/pod-ranges.ts";
export {
  ClusterError,
  type ClusterSettings,
  type HomeSettings,
  isJoined,
  type JoinedSettings,
  type RuntimeKind,
  readHomeSettings,
  readSettings,
  serverUrl,
} from "./settings/settings.ts";
export type { SupervisorTarget } from "./supervise/start-supervisor.ts";
