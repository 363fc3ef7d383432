/** Every effect on the machine behind small interfaces: processes, packets, links, mounts, control groups, packages, files. */

export type { CgroupCounters, DiskCounters } from "./cgroup-counters.ts";
export { type CgroupLayout, cgroupLayout, detectCgroupLayout } from "./cgroup-layout.ts";
export {
  type CgroupLimits,
  type CgroupStats,
  type Cgroups,
  cgroupWrites,
  cpuWeight,
  SystemCgroups,
} from "./cgroups.ts";
export { type FileLock, fileBehind, LockHeld, lockFile, writeFileAtomic } from "./files.ts";
export {
  type DirectionCounters,
  type InterfaceCounters,
  interfaceCounters,
  machineInterfaces,
} from "./interface-counters.ts";
export {
  type Addresses,
  defaultRouteLink,
  type Link,
  type LinkAddress,
  type Links,
  type NetworkNamespaces,
  type RefusedRoute,
  type Route,
  type RouteChange,
  type Routes,
  type SystemNetwork,
  systemNetwork,
} from "./links.ts";
export { MemoryCgroups } from "./memory-cgroups.ts";
export { isWithin, type MountPoint, type Mounts, parseMountInfo, systemMounts } from "./mounts.ts";
export {
  addNamespaceMember,
  type NamespaceMember,
  type NamespaceNetwork,
  removeNamespaceMember,
  removeNamespaceNetwork,
  setUpNamespaceNetwork,
} from "./namespace-network.ts";
export { nfsAddress, nfsServerProgram, prepareNfsServer, type Sharing, sharedFolder, sharingOf } from "./nfs-server.ts";
export {
  checkTransaction,
  type Nftables,
  NftablesError,
  type NftablesErrorCode,
  type NftObject,
  RecordingNftables,
  systemNftables,
  transactionLimitLines,
} from "./nftables.ts";
export { type OpenPath, openAt, openBeneath } from "./open-beneath.ts";
export {
  allRequirements,
  cniPluginFolders,
  type Distribution,
  findCniPlugins,
  findProgram,
  installCommand,
  type OperatingSystem,
  type Packages,
  packageNames,
  parseOsRelease,
  type Requirement,
  searchPath,
  systemPackages,
} from "./packages.ts";
export {
  CommandError,
  type CommandErrorCode,
  type CommandResult,
  type ProcessExit,
  type Processes,
  type ProcessIdentity,
  type ProcessLog,
  type ProcessUsage,
  type RunOptions,
  type StartedProcess,
  type StartOptions,
  systemProcesses,
} from "./processes.ts";
export { removeTree } from "./remove-tree.ts";
export { RotatingFile, type RotationLimits } from "./rotating-file.ts";
export {
  anyShutdownNotices,
  LoginShutdownNotices,
  type ShutdownNotices,
  type ShutdownWatch,
  SignalShutdownNotices,
} from "./shutdown-notices.ts";
export { localnetOf, MemorySysctls, type Sysctls, systemSysctls } from "./sysctls.ts";
export { systemTunnels, type Tunnel, type TunnelPeer, type Tunnels } from "./tunnels.ts";
