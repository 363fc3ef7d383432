// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";

/** `runtime.v1.VersionRequest` */
export interface VersionRequest {
  readonly version: string;
}
export const VersionRequest: MessageType<VersionRequest> = message(() => [
  [1, "version", "string", "one"],
]);

/** `runtime.v1.VersionResponse` */
export interface VersionResponse {
  readonly version: string;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}
export const VersionResponse: MessageType<VersionResponse> = message(() => [
  [1, "version", "string", "one"],
  [2, "runtimeName", "string", "one"],
  [3, "runtimeVersion", "string", "one"],
  [4, "runtimeApiVersion", "string", "one"],
]);

/** `runtime.v1.StatusRequest` */
export interface StatusRequest {
  readonly verbose: boolean;
}
export const StatusRequest: MessageType<StatusRequest> = message(() => [
  [1, "verbose", "bool", "one"],
]);

/** `runtime.v1.StatusResponse` */
export interface StatusResponse {
  readonly status: RuntimeStatus | undefined;
  readonly info: Readonly<Record<string, string>>;
}
export const StatusResponse: MessageType<StatusResponse> = message(() => [
  [1, "status", "message", "one", RuntimeStatus],
  [2, "info", "string", "map"],
]);

/** `runtime.v1.RuntimeStatus` */
export interface RuntimeStatus {
  readonly conditions: readonly RuntimeCondition[];
}
export const RuntimeStatus: MessageType<RuntimeStatus> = message(() => [
  [1, "conditions", "message", "list", RuntimeCondition],
]);

/** `runtime.v1.RuntimeCondition` */
export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}
export const RuntimeCondition: MessageType<RuntimeCondition> = message(() => [
  [1, "type", "string", "one"],
  [2, "status", "bool", "one"],
  [3, "reason", "string", "one"],
  [4, "message", "string", "one"],
]);

/** `runtime.v1.RunPodSandboxRequest` */
export interface RunPodSandboxRequest {
  readonly config: PodSandboxConfig | undefined;
  readonly runtimeHandler: string;
}
export const RunPodSandboxRequest: MessageType<RunPodSandboxRequest> = message(() => [
  [1, "config", "message", "one", PodSandboxConfig],
  [2, "runtimeHandler", "string", "one"],
]);

/** `runtime.v1.PodSandboxConfig` */
export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata | undefined;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig: DNSConfig | undefined;
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: LinuxPodSandboxConfig | undefined;
  readonly windows: WindowsPodSandboxConfig | undefined;
}
export const PodSandboxConfig: MessageType<PodSandboxConfig> = message(() => [
  [1, "metadata", "message", "one", PodSandboxMetadata],
  [2, "hostname", "string", "one"],
  [3, "logDirectory", "string", "one"],
  [4, "dnsConfig", "message", "one", DNSConfig],
  [5, "portMappings", "message", "list", PortMapping],
  [6, "labels", "string", "map"],
  [7, "annotations", "string", "map"],
  [8, "linux", "message", "one", LinuxPodSandboxConfig],
  [9, "windows", "message", "one", WindowsPodSandboxConfig],
]);

/** `runtime.v1.PodSandboxMetadata` */
export interface PodSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}
export const PodSandboxMetadata: MessageType<PodSandboxMetadata> = message(() => [
  [1, "name", "string", "one"],
  [2, "uid", "string", "one"],
  [3, "namespace", "string", "one"],
  [4, "attempt", "uint32", "one"],
]);

/** `runtime.v1.DNSConfig` */
export interface DNSConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}
export const DNSConfig: MessageType<DNSConfig> = message(() => [
  [1, "servers", "string", "list"],
  [2, "searches", "string", "list"],
  [3, "options", "string", "list"],
]);

/** `runtime.v1.PortMapping` */
export interface PortMapping {
  readonly protocol: number;
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}
export const PortMapping: MessageType<PortMapping> = message(() => [
  [1, "protocol", "int32", "one"],
  [2, "containerPort", "int32", "one"],
  [3, "hostPort", "int32", "one"],
  [4, "hostIp", "string", "one"],
]);

/** `runtime.v1.LinuxPodSandboxConfig` */
export interface LinuxPodSandboxConfig {
  readonly cgroupParent: string;
  readonly securityContext: LinuxSandboxSecurityContext | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly overhead: LinuxContainerResources | undefined;
  readonly resources: LinuxContainerResources | undefined;
}
export const LinuxPodSandboxConfig: MessageType<LinuxPodSandboxConfig> = message(() => [
  [1, "cgroupParent", "string", "one"],
  [2, "securityContext", "message", "one", LinuxSandboxSecurityContext],
  [3, "sysctls", "string", "map"],
  [4, "overhead", "message", "one", LinuxContainerResources],
  [5, "resources", "message", "one", LinuxContainerResources],
]);

/** `runtime.v1.LinuxSandboxSecurityContext` */
export interface LinuxSandboxSecurityContext {
  readonly namespaceOptions: NamespaceOption | undefined;
  readonly selinuxOptions: SELinuxOption | undefined;
  readonly runAsUser: Int64Value | undefined;
  readonly runAsGroup: Int64Value | undefined;
  readonly readonlyRootfs: boolean;
  readonly supplementalGroups: readonly number[];
  readonly privileged: boolean;
  readonly seccomp: SecurityProfile | undefined;
  readonly apparmor: SecurityProfile | undefined;
  readonly seccompProfilePath: string;
}
export const LinuxSandboxSecurityContext: MessageType<LinuxSandboxSecurityContext> = message(() => [
  [1, "namespaceOptions", "message", "one", NamespaceOption],
  [2, "selinuxOptions", "message", "one", SELinuxOption],
  [3, "runAsUser", "message", "one", Int64Value],
  [8, "runAsGroup", "message", "one", Int64Value],
  [4, "readonlyRootfs", "bool", "one"],
  [5, "supplementalGroups", "int64", "list"],
  [6, "privileged", "bool", "one"],
  [9, "seccomp", "message", "one", SecurityProfile],
  [10, "apparmor", "message", "one", SecurityProfile],
  [7, "seccompProfilePath", "string", "one"],
]);

/** `runtime.v1.NamespaceOption` */
export interface NamespaceOption {
  readonly network: number;
  readonly pid: number;
  readonly ipc: number;
  readonly targetId: string;
  readonly usernsOptions: UserNamespace | undefined;
}
export const NamespaceOption: MessageType<NamespaceOption> = message(() => [
  [1, "network", "int32", "one"],
  [2, "pid", "int32", "one"],
  [3, "ipc", "int32", "one"],
  [4, "targetId", "string", "one"],
  [5, "usernsOptions", "message", "one", UserNamespace],
]);

/** `runtime.v1.UserNamespace` */
export interface UserNamespace {
  readonly mode: number;
  readonly uids: readonly IDMapping[];
  readonly gids: readonly IDMapping[];
}
export const UserNamespace: MessageType<UserNamespace> = message(() => [
  [1, "mode", "int32", "one"],
  [2, "uids", "message", "list", IDMapping],
  [3, "gids", "message", "list", IDMapping],
]);

/** `runtime.v1.IDMapping` */
export interface IDMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}
export const IDMapping: MessageType<IDMapping> = message(() => [
  [1, "hostId", "uint32", "one"],
  [2, "containerId", "uint32", "one"],
  [3, "length", "uint32", "one"],
]);

/** `runtime.v1.SELinuxOption` */
export interface SELinuxOption {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}
export const SELinuxOption: MessageType<SELinuxOption> = message(() => [
  [1, "user", "string", "one"],
  [2, "role", "string", "one"],
  [3, "type", "string", "one"],
  [4, "level", "string", "one"],
]);

/** `runtime.v1.Int64Value` */
export interface Int64Value {
  readonly value: number;
}
export const Int64Value: MessageType<Int64Value> = message(() => [
  [1, "value", "int64", "one"],
]);

/** `runtime.v1.SecurityProfile` */
export interface SecurityProfile {
  readonly profileType: number;
  readonly localhostRef: string;
}
export const SecurityProfile: MessageType<SecurityProfile> = message(() => [
  [1, "profileType", "int32", "one"],
  [2, "localhostRef", "string", "one"],
]);

/** `runtime.v1.LinuxContainerResources` */
export interface LinuxContainerResources {
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpuShares: number;
  readonly memoryLimitInBytes: number;
  readonly oomScoreAdj: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly hugepageLimits: readonly HugepageLimit[];
  readonly unified: Readonly<Record<string, string>>;
  readonly memorySwapLimitInBytes: number;
}
export const LinuxContainerResources: MessageType<LinuxContainerResources> = message(() => [
  [1, "cpuPeriod", "int64", "one"],
  [2, "cpuQuota", "int64", "one"],
  [3, "cpuShares", "int64", "one"],
  [4, "memoryLimitInBytes", "int64", "one"],
  [5, "oomScoreAdj", "int64", "one"],
  [6, "cpusetCpus", "string", "one"],
  [7, "cpusetMems", "string", "one"],
  [8, "hugepageLimits", "message", "list", HugepageLimit],
  [9, "unified", "string", "map"],
  [10, "memorySwapLimitInBytes", "int64", "one"],
]);

/** `runtime.v1.HugepageLimit` */
export interface HugepageLimit {
  readonly pageSize: string;
  readonly limit: number;
}
export const HugepageLimit: MessageType<HugepageLimit> = message(() => [
  [1, "pageSize", "string", "one"],
  [2, "limit", "uint64", "one"],
]);

/** `runtime.v1.WindowsPodSandboxConfig` */
export interface WindowsPodSandboxConfig {
  readonly securityContext: WindowsSandboxSecurityContext | undefined;
}
export const WindowsPodSandboxConfig: MessageType<WindowsPodSandboxConfig> = message(() => [
  [1, "securityContext", "message", "one", WindowsSandboxSecurityContext],
]);

/** `runtime.v1.WindowsSandboxSecurityContext` */
export interface WindowsSandboxSecurityContext {
  readonly runAsUsername: string;
  readonly credentialSpec: string;
  readonly hostProcess: boolean;
}
export const WindowsSandboxSecurityContext: MessageType<WindowsSandboxSecurityContext> = message(() => [
  [1, "runAsUsername", "string", "one"],
  [2, "credentialSpec", "string", "one"],
  [3, "hostProcess", "bool", "one"],
]);

/** `runtime.v1.RunPodSandboxResponse` */
export interface RunPodSandboxResponse {
  readonly podSandboxId: string;
}
export const RunPodSandboxResponse: MessageType<RunPodSandboxResponse> = message(() => [
  [1, "podSandboxId", "string", "one"],
]);

/** `runtime.v1.StopPodSandboxRequest` */
export interface StopPodSandboxRequest {
  readonly podSandboxId: string;
}
export const StopPodSandboxRequest: MessageType<StopPodSandboxRequest> = message(() => [
  [1, "podSandboxId", "string", "one"],
]);

/** `runtime.v1.StopPodSandboxResponse` */
export interface StopPodSandboxResponse {
}
export const StopPodSandboxResponse: MessageType<StopPodSandboxResponse> = message(() => [
]);

/** `runtime.v1.RemovePodSandboxRequest` */
export interface RemovePodSandboxRequest {
  readonly podSandboxId: string;
}
export const RemovePodSandboxRequest: MessageType<RemovePodSandboxRequest> = message(() => [
  [1, "podSandboxId", "string", "one"],
]);

/** `runtime.v1.RemovePodSandboxResponse` */
export interface RemovePodSandboxResponse {
}
export const RemovePodSandboxResponse: MessageType<RemovePodSandboxResponse> = message(() => [
]);

/** `runtime.v1.PodSandboxStatusRequest` */
export interface PodSandboxStatusRequest {
  readonly podSandboxId: string;
  readonly verbose: boolean;
}
export const PodSandboxStatusRequest: MessageType<PodSandboxStatusRequest> = message(() => [
  [1, "podSandboxId", "string", "one"],
  [2, "verbose", "bool", "one"],
]);

/** `runtime.v1.PodSandboxStatusResponse` */
export interface PodSandboxStatusResponse {
  readonly status: PodSandboxStatus | undefined;
  readonly info: Readonly<Record<string, string>>;
}
export const PodSandboxStatusResponse: MessageType<PodSandboxStatusResponse> = message(() => [
  [1, "status", "message", "one", PodSandboxStatus],
  [2, "info", "string", "map"],
]);

/** `runtime.v1.PodSandboxStatus` */
export interface PodSandboxStatus {
  readonly id: string;
  readonly metadata: PodSandboxMetadata | undefined;
  readonly state: number;
  readonly createdAt: number;
  readonly network: PodSandboxNetworkStatus | undefined;
  readonly linux: LinuxPodSandboxStatus | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly runtimeHandler: string;
}
export const PodSandboxStatus: MessageType<PodSandboxStatus> = message(() => [
  [1, "id", "string", "one"],
  [2, "metadata", "message", "one", PodSandboxMetadata],
  [3, "state", "int32", "one"],
  [4, "createdAt", "int64", "one"],
  [5, "network", "message", "one", PodSandboxNetworkStatus],
  [6, "linux", "message", "one", LinuxPodSandboxStatus],
  [7, "labels", "string", "map"],
  [8, "annotations", "string", "map"],
  [9, "runtimeHandler", "string", "one"],
]);

/** `runtime.v1.PodSandboxNetworkStatus` */
export interface PodSandboxNetworkStatus {
  readonly ip: string;
  readonly additionalIps: readonly PodIP[];
}
export const PodSandboxNetworkStatus: MessageType<PodSandboxNetworkStatus> = message(() => [
  [1, "ip", "string", "one"],
  [2, "additionalIps", "message", "list", PodIP],
]);

/** `runtime.v1.PodIP` */
export interface PodIP {
  readonly ip: string;
}
export const PodIP: MessageType<PodIP> = message(() => [
  [1, "ip", "string", "one"],
]);

/** `runtime.v1.LinuxPodSandboxStatus` */
export interface LinuxPodSandboxStatus {
  readonly namespaces: Namespace | undefined;
}
export const LinuxPodSandboxStatus: MessageType<LinuxPodSandboxStatus> = message(() => [
  [1, "namespaces", "message", "one", Namespace],
]);

/** `runtime.v1.Namespace` */
export interface Namespace {
  readonly options: NamespaceOption | undefined;
}
export const Namespace: MessageType<Namespace> = message(() => [
  [2, "options", "message", "one", NamespaceOption],
]);

/** `runtime.v1.ListPodSandboxRequest` */
export interface ListPodSandboxRequest {
  readonly filter: PodSandboxFilter | undefined;
}
export const ListPodSandboxRequest: MessageType<ListPodSandboxRequest> = message(() => [
  [1, "filter", "message", "one", PodSandboxFilter],
]);

/** `runtime.v1.PodSandboxFilter` */
export interface PodSandboxFilter {
  readonly id: string;
  readonly state: PodSandboxStateValue | undefined;
  readonly labelSelector: Readonly<Record<string, string>>;
}
export const PodSandboxFilter: MessageType<PodSandboxFilter> = message(() => [
  [1, "id", "string", "one"],
  [2, "state", "message", "one", PodSandboxStateValue],
  [3, "labelSelector", "string", "map"],
]);

/** `runtime.v1.PodSandboxStateValue` */
export interface PodSandboxStateValue {
  readonly state: number;
}
export const PodSandboxStateValue: MessageType<PodSandboxStateValue> = message(() => [
  [1, "state", "int32", "one"],
]);

/** `runtime.v1.ListPodSandboxResponse` */
export interface ListPodSandboxResponse {
  readonly items: readonly PodSandbox[];
}
export const ListPodSandboxResponse: MessageType<ListPodSandboxResponse> = message(() => [
  [1, "items", "message", "list", PodSandbox],
]);

/** `runtime.v1.PodSandbox` */
export interface PodSandbox {
  readonly id: string;
  readonly metadata: PodSandboxMetadata | undefined;
  readonly state: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly runtimeHandler: string;
}
export const PodSandbox: MessageType<PodSandbox> = message(() => [
  [1, "id", "string", "one"],
  [2, "metadata", "message", "one", PodSandboxMetadata],
  [3, "state", "int32", "one"],
  [4, "createdAt", "int64", "one"],
  [5, "labels", "string", "map"],
  [6, "annotations", "string", "map"],
  [7, "runtimeHandler", "string", "one"],
]);

/** `runtime.v1.CreateContainerRequest` */
export interface CreateContainerRequest {
  readonly podSandboxId: string;
  readonly config: ContainerConfig | undefined;
  readonly sandboxConfig: PodSandboxConfig | undefined;
}
export const CreateContainerRequest: MessageType<CreateContainerRequest> = message(() => [
  [1, "podSandboxId", "string", "one"],
  [2, "config", "message", "one", ContainerConfig],
  [3, "sandboxConfig", "message", "one", PodSandboxConfig],
]);

/** `runtime.v1.ContainerConfig` */
export interface ContainerConfig {
  readonly metadata: ContainerMetadata | undefined;
  readonly image: ImageSpec | undefined;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly KeyValue[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly linux: LinuxContainerConfig | undefined;
  readonly windows: WindowsContainerConfig | undefined;
}
export const ContainerConfig: MessageType<ContainerConfig> = message(() => [
  [1, "metadata", "message", "one", ContainerMetadata],
  [2, "image", "message", "one", ImageSpec],
  [3, "command", "string", "list"],
  [4, "args", "string", "list"],
  [5, "workingDir", "string", "one"],
  [6, "envs", "message", "list", KeyValue],
  [7, "mounts", "message", "list", Mount],
  [8, "devices", "message", "list", Device],
  [9, "labels", "string", "map"],
  [10, "annotations", "string", "map"],
  [11, "logPath", "string", "one"],
  [12, "stdin", "bool", "one"],
  [13, "stdinOnce", "bool", "one"],
  [14, "tty", "bool", "one"],
  [15, "linux", "message", "one", LinuxContainerConfig],
  [16, "windows", "message", "one", WindowsContainerConfig],
]);

/** `runtime.v1.ContainerMetadata` */
export interface ContainerMetadata {
  readonly name: string;
  readonly attempt: number;
}
export const ContainerMetadata: MessageType<ContainerMetadata> = message(() => [
  [1, "name", "string", "one"],
  [2, "attempt", "uint32", "one"],
]);

/** `runtime.v1.ImageSpec` */
export interface ImageSpec {
  readonly image: string;
  readonly annotations: Readonly<Record<string, string>>;
}
export const ImageSpec: MessageType<ImageSpec> = message(() => [
  [1, "image", "string", "one"],
  [2, "annotations", "string", "map"],
]);

/** `runtime.v1.KeyValue` */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}
export const KeyValue: MessageType<KeyValue> = message(() => [
  [1, "key", "string", "one"],
  [2, "value", "string", "one"],
]);

/** `runtime.v1.Mount` */
export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly selinuxRelabel: boolean;
  readonly propagation: number;
}
export const Mount: MessageType<Mount> = message(() => [
  [1, "containerPath", "string", "one"],
  [2, "hostPath", "string", "one"],
  [3, "readonly", "bool", "one"],
  [4, "selinuxRelabel", "bool", "one"],
  [5, "propagation", "int32", "one"],
]);

/** `runtime.v1.Device` */
export interface Device {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly permissions: string;
}
export const Device: MessageType<Device> = message(() => [
  [1, "containerPath", "string", "one"],
  [2, "hostPath", "string", "one"],
  [3, "permissions", "string", "one"],
]);

/** `runtime.v1.LinuxContainerConfig` */
export interface LinuxContainerConfig {
  readonly resources: LinuxContainerResources | undefined;
  readonly securityContext: LinuxContainerSecurityContext | undefined;
}
export const LinuxContainerConfig: MessageType<LinuxContainerConfig> = message(() => [
  [1, "resources", "message", "one", LinuxContainerResources],
  [2, "securityContext", "message", "one", LinuxContainerSecurityContext],
]);

/** `runtime.v1.LinuxContainerSecurityContext` */
export interface LinuxContainerSecurityContext {
  readonly capabilities: Capability | undefined;
  readonly privileged: boolean;
  readonly namespaceOptions: NamespaceOption | undefined;
  readonly selinuxOptions: SELinuxOption | undefined;
  readonly runAsUser: Int64Value | undefined;
  readonly runAsGroup: Int64Value | undefined;
  readonly runAsUsername: string;
  readonly readonlyRootfs: boolean;
  readonly supplementalGroups: readonly number[];
  readonly noNewPrivs: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: SecurityProfile | undefined;
  readonly apparmor: SecurityProfile | undefined;
  readonly apparmorProfile: string;
  readonly seccompProfilePath: string;
}
export const LinuxContainerSecurityContext: MessageType<LinuxContainerSecurityContext> = message(() => [
  [1, "capabilities", "message", "one", Capability],
  [2, "privileged", "bool", "one"],
  [3, "namespaceOptions", "message", "one", NamespaceOption],
  [4, "selinuxOptions", "message", "one", SELinuxOption],
  [5, "runAsUser", "message", "one", Int64Value],
  [12, "runAsGroup", "message", "one", Int64Value],
  [6, "runAsUsername", "string", "one"],
  [7, "readonlyRootfs", "bool", "one"],
  [8, "supplementalGroups", "int64", "list"],
  [11, "noNewPrivs", "bool", "one"],
  [13, "maskedPaths", "string", "list"],
  [14, "readonlyPaths", "string", "list"],
  [15, "seccomp", "message", "one", SecurityProfile],
  [16, "apparmor", "message", "one", SecurityProfile],
  [9, "apparmorProfile", "string", "one"],
  [10, "seccompProfilePath", "string", "one"],
]);

/** `runtime.v1.Capability` */
export interface Capability {
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly addAmbientCapabilities: readonly string[];
}
export const Capability: MessageType<Capability> = message(() => [
  [1, "addCapabilities", "string", "list"],
  [2, "dropCapabilities", "string", "list"],
  [3, "addAmbientCapabilities", "string", "list"],
]);

/** `runtime.v1.WindowsContainerConfig` */
export interface WindowsContainerConfig {
  readonly resources: WindowsContainerResources | undefined;
  readonly securityContext: WindowsContainerSecurityContext | undefined;
}
export const WindowsContainerConfig: MessageType<WindowsContainerConfig> = message(() => [
  [1, "resources", "message", "one", WindowsContainerResources],
  [2, "securityContext", "message", "one", WindowsContainerSecurityContext],
]);

/** `runtime.v1.WindowsContainerResources` */
export interface WindowsContainerResources {
  readonly cpuShares: number;
  readonly cpuCount: number;
  readonly cpuMaximum: number;
  readonly memoryLimitInBytes: number;
  readonly rootfsSizeInBytes: number;
}
export const WindowsContainerResources: MessageType<WindowsContainerResources> = message(() => [
  [1, "cpuShares", "int64", "one"],
  [2, "cpuCount", "int64", "one"],
  [3, "cpuMaximum", "int64", "one"],
  [4, "memoryLimitInBytes", "int64", "one"],
  [5, "rootfsSizeInBytes", "int64", "one"],
]);

/** `runtime.v1.WindowsContainerSecurityContext` */
export interface WindowsContainerSecurityContext {
  readonly runAsUsername: string;
  readonly credentialSpec: string;
  readonly hostProcess: boolean;
}
export const WindowsContainerSecurityContext: MessageType<WindowsContainerSecurityContext> = message(() => [
  [1, "runAsUsername", "string", "one"],
  [2, "credentialSpec", "string", "one"],
  [3, "hostProcess", "bool", "one"],
]);

/** `runtime.v1.CreateContainerResponse` */
export interface CreateContainerResponse {
  readonly containerId: string;
}
export const CreateContainerResponse: MessageType<CreateContainerResponse> = message(() => [
  [1, "containerId", "string", "one"],
]);

/** `runtime.v1.StartContainerRequest` */
export interface StartContainerRequest {
  readonly containerId: string;
}
export const StartContainerRequest: MessageType<StartContainerRequest> = message(() => [
  [1, "containerId", "string", "one"],
]);

/** `runtime.v1.StartContainerResponse` */
export interface StartContainerResponse {
}
export const StartContainerResponse: MessageType<StartContainerResponse> = message(() => [
]);

/** `runtime.v1.StopContainerRequest` */
export interface StopContainerRequest {
  readonly containerId: string;
  readonly timeout: number;
}
export const StopContainerRequest: MessageType<StopContainerRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "timeout", "int64", "one"],
]);

/** `runtime.v1.StopContainerResponse` */
export interface StopContainerResponse {
}
export const StopContainerResponse: MessageType<StopContainerResponse> = message(() => [
]);

/** `runtime.v1.RemoveContainerRequest` */
export interface RemoveContainerRequest {
  readonly containerId: string;
}
export const RemoveContainerRequest: MessageType<RemoveContainerRequest> = message(() => [
  [1, "containerId", "string", "one"],
]);

/** `runtime.v1.RemoveContainerResponse` */
export interface RemoveContainerResponse {
}
export const RemoveContainerResponse: MessageType<RemoveContainerResponse> = message(() => [
]);

/** `runtime.v1.ListContainersRequest` */
export interface ListContainersRequest {
  readonly filter: ContainerFilter | undefined;
}
export const ListContainersRequest: MessageType<ListContainersRequest> = message(() => [
  [1, "filter", "message", "one", ContainerFilter],
]);

/** `runtime.v1.ContainerFilter` */
export interface ContainerFilter {
  readonly id: string;
  readonly state: ContainerStateValue | undefined;
  readonly podSandboxId: string;
  readonly labelSelector: Readonly<Record<string, string>>;
}
export const ContainerFilter: MessageType<ContainerFilter> = message(() => [
  [1, "id", "string", "one"],
  [2, "state", "message", "one", ContainerStateValue],
  [3, "podSandboxId", "string", "one"],
  [4, "labelSelector", "string", "map"],
]);

/** `runtime.v1.ContainerStateValue` */
export interface ContainerStateValue {
  readonly state: number;
}
export const ContainerStateValue: MessageType<ContainerStateValue> = message(() => [
  [1, "state", "int32", "one"],
]);

/** `runtime.v1.ListContainersResponse` */
export interface ListContainersResponse {
  readonly containers: readonly Container[];
}
export const ListContainersResponse: MessageType<ListContainersResponse> = message(() => [
  [1, "containers", "message", "list", Container],
]);

/** `runtime.v1.Container` */
export interface Container {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: ContainerMetadata | undefined;
  readonly image: ImageSpec | undefined;
  readonly imageRef: string;
  readonly state: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
export const Container: MessageType<Container> = message(() => [
  [1, "id", "string", "one"],
  [2, "podSandboxId", "string", "one"],
  [3, "metadata", "message", "one", ContainerMetadata],
  [4, "image", "message", "one", ImageSpec],
  [5, "imageRef", "string", "one"],
  [6, "state", "int32", "one"],
  [7, "createdAt", "int64", "one"],
  [8, "labels", "string", "map"],
  [9, "annotations", "string", "map"],
]);

/** `runtime.v1.ContainerStatusRequest` */
export interface ContainerStatusRequest {
  readonly containerId: string;
  readonly verbose: boolean;
}
export const ContainerStatusRequest: MessageType<ContainerStatusRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "verbose", "bool", "one"],
]);

/** `runtime.v1.ContainerStatusResponse` */
export interface ContainerStatusResponse {
  readonly status: ContainerStatus | undefined;
  readonly info: Readonly<Record<string, string>>;
}
export const ContainerStatusResponse: MessageType<ContainerStatusResponse> = message(() => [
  [1, "status", "message", "one", ContainerStatus],
  [2, "info", "string", "map"],
]);

/** `runtime.v1.ContainerStatus` */
export interface ContainerStatus {
  readonly id: string;
  readonly metadata: ContainerMetadata | undefined;
  readonly state: number;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly image: ImageSpec | undefined;
  readonly imageRef: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly logPath: string;
  readonly resources: ContainerResources | undefined;
}
export const ContainerStatus: MessageType<ContainerStatus> = message(() => [
  [1, "id", "string", "one"],
  [2, "metadata", "message", "one", ContainerMetadata],
  [3, "state", "int32", "one"],
  [4, "createdAt", "int64", "one"],
  [5, "startedAt", "int64", "one"],
  [6, "finishedAt", "int64", "one"],
  [7, "exitCode", "int32", "one"],
  [8, "image", "message", "one", ImageSpec],
  [9, "imageRef", "string", "one"],
  [10, "reason", "string", "one"],
  [11, "message", "string", "one"],
  [12, "labels", "string", "map"],
  [13, "annotations", "string", "map"],
  [14, "mounts", "message", "list", Mount],
  [15, "logPath", "string", "one"],
  [16, "resources", "message", "one", ContainerResources],
]);

/** `runtime.v1.ContainerResources` */
export interface ContainerResources {
  readonly linux: LinuxContainerResources | undefined;
  readonly windows: WindowsContainerResources | undefined;
}
export const ContainerResources: MessageType<ContainerResources> = message(() => [
  [1, "linux", "message", "one", LinuxContainerResources],
  [2, "windows", "message", "one", WindowsContainerResources],
]);

/** `runtime.v1.UpdateContainerResourcesRequest` */
export interface UpdateContainerResourcesRequest {
  readonly containerId: string;
  readonly linux: LinuxContainerResources | undefined;
  readonly windows: WindowsContainerResources | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}
export const UpdateContainerResourcesRequest: MessageType<UpdateContainerResourcesRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "linux", "message", "one", LinuxContainerResources],
  [3, "windows", "message", "one", WindowsContainerResources],
  [4, "annotations", "string", "map"],
]);

/** `runtime.v1.UpdateContainerResourcesResponse` */
export interface UpdateContainerResourcesResponse {
}
export const UpdateContainerResourcesResponse: MessageType<UpdateContainerResourcesResponse> = message(() => [
]);

/** `runtime.v1.ReopenContainerLogRequest` */
export interface ReopenContainerLogRequest {
  readonly containerId: string;
}
export const ReopenContainerLogRequest: MessageType<ReopenContainerLogRequest> = message(() => [
  [1, "containerId", "string", "one"],
]);

/** `runtime.v1.ReopenContainerLogResponse` */
export interface ReopenContainerLogResponse {
}
export const ReopenContainerLogResponse: MessageType<ReopenContainerLogResponse> = message(() => [
]);

/** `runtime.v1.ExecSyncRequest` */
export interface ExecSyncRequest {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly timeout: number;
}
export const ExecSyncRequest: MessageType<ExecSyncRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "cmd", "string", "list"],
  [3, "timeout", "int64", "one"],
]);

/** `runtime.v1.ExecSyncResponse` */
export interface ExecSyncResponse {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}
export const ExecSyncResponse: MessageType<ExecSyncResponse> = message(() => [
  [1, "stdout", "bytes", "one"],
  [2, "stderr", "bytes", "one"],
  [3, "exitCode", "int32", "one"],
]);

/** `runtime.v1.ExecRequest` */
export interface ExecRequest {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}
export const ExecRequest: MessageType<ExecRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "cmd", "string", "list"],
  [3, "tty", "bool", "one"],
  [4, "stdin", "bool", "one"],
  [5, "stdout", "bool", "one"],
  [6, "stderr", "bool", "one"],
]);

/** `runtime.v1.ExecResponse` */
export interface ExecResponse {
  readonly url: string;
}
export const ExecResponse: MessageType<ExecResponse> = message(() => [
  [1, "url", "string", "one"],
]);

/** `runtime.v1.AttachRequest` */
export interface AttachRequest {
  readonly containerId: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}
export const AttachRequest: MessageType<AttachRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "stdin", "bool", "one"],
  [3, "tty", "bool", "one"],
  [4, "stdout", "bool", "one"],
  [5, "stderr", "bool", "one"],
]);

/** `runtime.v1.AttachResponse` */
export interface AttachResponse {
  readonly url: string;
}
export const AttachResponse: MessageType<AttachResponse> = message(() => [
  [1, "url", "string", "one"],
]);

/** `runtime.v1.PortForwardRequest` */
export interface PortForwardRequest {
  readonly podSandboxId: string;
  readonly port: readonly number[];
}
export const PortForwardRequest: MessageType<PortForwardRequest> = message(() => [
  [1, "podSandboxId", "string", "one"],
  [2, "port", "int32", "list"],
]);

/** `runtime.v1.PortForwardResponse` */
export interface PortForwardResponse {
  readonly url: string;
}
export const PortForwardResponse: MessageType<PortForwardResponse> = message(() => [
  [1, "url", "string", "one"],
]);

/** `runtime.v1.ListContainerStatsRequest` */
export interface ListContainerStatsRequest {
  readonly filter: ContainerStatsFilter | undefined;
}
export const ListContainerStatsRequest: MessageType<ListContainerStatsRequest> = message(() => [
  [1, "filter", "message", "one", ContainerStatsFilter],
]);

/** `runtime.v1.ContainerStatsFilter` */
export interface ContainerStatsFilter {
  readonly id: string;
  readonly podSandboxId: string;
  readonly labelSelector: Readonly<Record<string, string>>;
}
export const ContainerStatsFilter: MessageType<ContainerStatsFilter> = message(() => [
  [1, "id", "string", "one"],
  [2, "podSandboxId", "string", "one"],
  [3, "labelSelector", "string", "map"],
]);

/** `runtime.v1.ListContainerStatsResponse` */
export interface ListContainerStatsResponse {
  readonly stats: readonly ContainerStats[];
}
export const ListContainerStatsResponse: MessageType<ListContainerStatsResponse> = message(() => [
  [1, "stats", "message", "list", ContainerStats],
]);

/** `runtime.v1.ContainerStats` */
export interface ContainerStats {
  readonly attributes: ContainerAttributes | undefined;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
  readonly writableLayer: FilesystemUsage | undefined;
}
export const ContainerStats: MessageType<ContainerStats> = message(() => [
  [1, "attributes", "message", "one", ContainerAttributes],
  [2, "cpu", "message", "one", CpuUsage],
  [3, "memory", "message", "one", MemoryUsage],
  [4, "writableLayer", "message", "one", FilesystemUsage],
]);

/** `runtime.v1.ContainerAttributes` */
export interface ContainerAttributes {
  readonly id: string;
  readonly metadata: ContainerMetadata | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
export const ContainerAttributes: MessageType<ContainerAttributes> = message(() => [
  [1, "id", "string", "one"],
  [2, "metadata", "message", "one", ContainerMetadata],
  [3, "labels", "string", "map"],
  [4, "annotations", "string", "map"],
]);

/** `runtime.v1.CpuUsage` */
export interface CpuUsage {
  readonly timestamp: number;
  readonly usageCoreNanoSeconds: UInt64Value | undefined;
  readonly usageNanoCores: UInt64Value | undefined;
}
export const CpuUsage: MessageType<CpuUsage> = message(() => [
  [1, "timestamp", "int64", "one"],
  [2, "usageCoreNanoSeconds", "message", "one", UInt64Value],
  [3, "usageNanoCores", "message", "one", UInt64Value],
]);

/** `runtime.v1.UInt64Value` */
export interface UInt64Value {
  readonly value: number;
}
export const UInt64Value: MessageType<UInt64Value> = message(() => [
  [1, "value", "uint64", "one"],
]);

/** `runtime.v1.MemoryUsage` */
export interface MemoryUsage {
  readonly timestamp: number;
  readonly workingSetBytes: UInt64Value | undefined;
  readonly availableBytes: UInt64Value | undefined;
  readonly usageBytes: UInt64Value | undefined;
  readonly rssBytes: UInt64Value | undefined;
  readonly pageFaults: UInt64Value | undefined;
  readonly majorPageFaults: UInt64Value | undefined;
}
export const MemoryUsage: MessageType<MemoryUsage> = message(() => [
  [1, "timestamp", "int64", "one"],
  [2, "workingSetBytes", "message", "one", UInt64Value],
  [3, "availableBytes", "message", "one", UInt64Value],
  [4, "usageBytes", "message", "one", UInt64Value],
  [5, "rssBytes", "message", "one", UInt64Value],
  [6, "pageFaults", "message", "one", UInt64Value],
  [7, "majorPageFaults", "message", "one", UInt64Value],
]);

/** `runtime.v1.FilesystemUsage` */
export interface FilesystemUsage {
  readonly timestamp: number;
  readonly fsId: FilesystemIdentifier | undefined;
  readonly usedBytes: UInt64Value | undefined;
  readonly inodesUsed: UInt64Value | undefined;
}
export const FilesystemUsage: MessageType<FilesystemUsage> = message(() => [
  [1, "timestamp", "int64", "one"],
  [2, "fsId", "message", "one", FilesystemIdentifier],
  [3, "usedBytes", "message", "one", UInt64Value],
  [4, "inodesUsed", "message", "one", UInt64Value],
]);

/** `runtime.v1.FilesystemIdentifier` */
export interface FilesystemIdentifier {
  readonly mountpoint: string;
}
export const FilesystemIdentifier: MessageType<FilesystemIdentifier> = message(() => [
  [1, "mountpoint", "string", "one"],
]);

/** `runtime.v1.ListImagesRequest` */
export interface ListImagesRequest {
  readonly filter: ImageFilter | undefined;
}
export const ListImagesRequest: MessageType<ListImagesRequest> = message(() => [
  [1, "filter", "message", "one", ImageFilter],
]);

/** `runtime.v1.ImageFilter` */
export interface ImageFilter {
  readonly image: ImageSpec | undefined;
}
export const ImageFilter: MessageType<ImageFilter> = message(() => [
  [1, "image", "message", "one", ImageSpec],
]);

/** `runtime.v1.ListImagesResponse` */
export interface ListImagesResponse {
  readonly images: readonly Image[];
}
export const ListImagesResponse: MessageType<ListImagesResponse> = message(() => [
  [1, "images", "message", "list", Image],
]);

/** `runtime.v1.Image` */
export interface Image {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: number;
  readonly uid: Int64Value | undefined;
  readonly username: string;
  readonly spec: ImageSpec | undefined;
  readonly pinned: boolean;
}
export const Image: MessageType<Image> = message(() => [
  [1, "id", "string", "one"],
  [2, "repoTags", "string", "list"],
  [3, "repoDigests", "string", "list"],
  [4, "size", "uint64", "one"],
  [5, "uid", "message", "one", Int64Value],
  [6, "username", "string", "one"],
  [7, "spec", "message", "one", ImageSpec],
  [8, "pinned", "bool", "one"],
]);

/** `runtime.v1.ImageStatusRequest` */
export interface ImageStatusRequest {
  readonly image: ImageSpec | undefined;
  readonly verbose: boolean;
}
export const ImageStatusRequest: MessageType<ImageStatusRequest> = message(() => [
  [1, "image", "message", "one", ImageSpec],
  [2, "verbose", "bool", "one"],
]);

/** `runtime.v1.ImageStatusResponse` */
export interface ImageStatusResponse {
  readonly image: Image | undefined;
  readonly info: Readonly<Record<string, string>>;
}
export const ImageStatusResponse: MessageType<ImageStatusResponse> = message(() => [
  [1, "image", "message", "one", Image],
  [2, "info", "string", "map"],
]);

/** `runtime.v1.PullImageRequest` */
export interface PullImageRequest {
  readonly image: ImageSpec | undefined;
  readonly auth: AuthConfig | undefined;
  readonly sandboxConfig: PodSandboxConfig | undefined;
}
export const PullImageRequest: MessageType<PullImageRequest> = message(() => [
  [1, "image", "message", "one", ImageSpec],
  [2, "auth", "message", "one", AuthConfig],
  [3, "sandboxConfig", "message", "one", PodSandboxConfig],
]);

/** `runtime.v1.AuthConfig` */
export interface AuthConfig {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
  readonly serverAddress: string;
  readonly identityToken: string;
  readonly registryToken: string;
}
export const AuthConfig: MessageType<AuthConfig> = message(() => [
  [1, "username", "string", "one"],
  [2, "password", "string", "one"],
  [3, "auth", "string", "one"],
  [4, "serverAddress", "string", "one"],
  [5, "identityToken", "string", "one"],
  [6, "registryToken", "string", "one"],
]);

/** `runtime.v1.PullImageResponse` */
export interface PullImageResponse {
  readonly imageRef: string;
}
export const PullImageResponse: MessageType<PullImageResponse> = message(() => [
  [1, "imageRef", "string", "one"],
]);

/** `runtime.v1.RemoveImageRequest` */
export interface RemoveImageRequest {
  readonly image: ImageSpec | undefined;
}
export const RemoveImageRequest: MessageType<RemoveImageRequest> = message(() => [
  [1, "image", "message", "one", ImageSpec],
]);

/** `runtime.v1.RemoveImageResponse` */
export interface RemoveImageResponse {
}
export const RemoveImageResponse: MessageType<RemoveImageResponse> = message(() => [
]);

/** `runtime.v1.ImageFsInfoRequest` */
export interface ImageFsInfoRequest {
}
export const ImageFsInfoRequest: MessageType<ImageFsInfoRequest> = message(() => [
]);

/** `runtime.v1.ImageFsInfoResponse` */
export interface ImageFsInfoResponse {
  readonly imageFilesystems: readonly FilesystemUsage[];
}
export const ImageFsInfoResponse: MessageType<ImageFsInfoResponse> = message(() => [
  [1, "imageFilesystems", "message", "list", FilesystemUsage],
]);

/** `runtime.v1.Protocol` */
export const Protocol = {
  TCP: 0,
  UDP: 1,
  SCTP: 2,
} as const;

/** `runtime.v1.NamespaceMode` */
export const NamespaceMode = {
  POD: 0,
  CONTAINER: 1,
  NODE: 2,
  TARGET: 3,
} as const;

/** `runtime.v1.SecurityProfile.ProfileType` */
export const SecurityProfileProfileType = {
  RuntimeDefault: 0,
  Unconfined: 1,
  Localhost: 2,
} as const;

/** `runtime.v1.PodSandboxState` */
export const PodSandboxState = {
  SANDBOX_READY: 0,
  SANDBOX_NOTREADY: 1,
} as const;

/** `runtime.v1.MountPropagation` */
export const MountPropagation = {
  PROPAGATION_PRIVATE: 0,
  PROPAGATION_HOST_TO_CONTAINER: 1,
  PROPAGATION_BIDIRECTIONAL: 2,
} as const;

/** `runtime.v1.ContainerState` */
export const ContainerState = {
  CONTAINER_CREATED: 0,
  CONTAINER_RUNNING: 1,
  CONTAINER_EXITED: 2,
  CONTAINER_UNKNOWN: 3,
} as const;

/** `runtime.v1.RuntimeService` */
export const RuntimeService = {
  version: method("/runtime.v1.RuntimeService/Version", VersionRequest, VersionResponse),
  status: method("/runtime.v1.RuntimeService/Status", StatusRequest, StatusResponse),
  runPodSandbox: method("/runtime.v1.RuntimeService/RunPodSandbox", RunPodSandboxRequest, RunPodSandboxResponse),
  stopPodSandbox: method("/runtime.v1.RuntimeService/StopPodSandbox", StopPodSandboxRequest, StopPodSandboxResponse),
  removePodSandbox: method("/runtime.v1.RuntimeService/RemovePodSandbox", RemovePodSandboxRequest, RemovePodSandboxResponse),
  podSandboxStatus: method("/runtime.v1.RuntimeService/PodSandboxStatus", PodSandboxStatusRequest, PodSandboxStatusResponse),
  listPodSandbox: method("/runtime.v1.RuntimeService/ListPodSandbox", ListPodSandboxRequest, ListPodSandboxResponse),
  createContainer: method("/runtime.v1.RuntimeService/CreateContainer", CreateContainerRequest, CreateContainerResponse),
  startContainer: method("/runtime.v1.RuntimeService/StartContainer", StartContainerRequest, StartContainerResponse),
  stopContainer: method("/runtime.v1.RuntimeService/StopContainer", StopContainerRequest, StopContainerResponse),
  removeContainer: method("/runtime.v1.RuntimeService/RemoveContainer", RemoveContainerRequest, RemoveContainerResponse),
  listContainers: method("/runtime.v1.RuntimeService/ListContainers", ListContainersRequest, ListContainersResponse),
  containerStatus: method("/runtime.v1.RuntimeService/ContainerStatus", ContainerStatusRequest, ContainerStatusResponse),
  updateContainerResources: method("/runtime.v1.RuntimeService/UpdateContainerResources", UpdateContainerResourcesRequest, UpdateContainerResourcesResponse),
  reopenContainerLog: method("/runtime.v1.RuntimeService/ReopenContainerLog", ReopenContainerLogRequest, ReopenContainerLogResponse),
  execSync: method("/runtime.v1.RuntimeService/ExecSync", ExecSyncRequest, ExecSyncResponse),
  exec: method("/runtime.v1.RuntimeService/Exec", ExecRequest, ExecResponse),
  attach: method("/runtime.v1.RuntimeService/Attach", AttachRequest, AttachResponse),
  portForward: method("/runtime.v1.RuntimeService/PortForward", PortForwardRequest, PortForwardResponse),
  listContainerStats: method("/runtime.v1.RuntimeService/ListContainerStats", ListContainerStatsRequest, ListContainerStatsResponse),
};

/** `runtime.v1.ImageService` */
export const ImageService = {
  listImages: method("/runtime.v1.ImageService/ListImages", ListImagesRequest, ListImagesResponse),
  imageStatus: method("/runtime.v1.ImageService/ImageStatus", ImageStatusRequest, ImageStatusResponse),
  pullImage: method("/runtime.v1.ImageService/PullImage", PullImageRequest, PullImageResponse),
  removeImage: method("/runtime.v1.ImageService/RemoveImage", RemoveImageRequest, RemoveImageResponse),
  imageFsInfo: method("/runtime.v1.ImageService/ImageFsInfo", ImageFsInfoRequest, ImageFsInfoResponse),
};
