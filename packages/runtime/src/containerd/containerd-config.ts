import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { findProgram, type Processes, writeFileAtomic } from "@skiff/host";
import type { PodNetwork } from "./cni.ts";
import { pauseImageName } from "./pause-image.ts";
import { type CniFolders, preparePodNetwork } from "./pod-network-files.ts";
import { shimProgram, writeShimScript } from "./shim-script.ts";

/** How images of one registry are got. */
export interface RegistryConfig {
  /** Host (with port where it is not 443) as image names have it: `docker.io`, `registry.local:5000`. */
  readonly host: string;
  /** Asked first, in order, as in `https://mirror.example.com`. */
  readonly mirrors: readonly string[];
  /** Without TLS. */
  readonly insecure: boolean;
  /** With TLS, but whatever the certificate. */
  readonly skipVerify?: boolean;
  /** Path of the certificate (PEM) of the authority that signed the registry's own. */
  readonly ca?: string;
}

/** A containerd of the node's own, beside any other on the machine. */
export interface ContainerdConfig {
  /** What is kept: images, container records, configuration. */
  readonly rootDirectory: string;
  /** What is of this boot only: sockets, pipes, network namespaces. Below `/run`. */
  readonly stateDirectory: string;
  /** Absent while it is not known: pods cannot be started until `writePodNetwork`. */
  readonly network?: PodNetwork;
  readonly registries: readonly RegistryConfig[];
  /** Folder of `HOST/hosts.toml` as containerd has them. What is in it counts before `registries`, from the next pull on. */
  readonly hostsFolder?: string;
}

/** What a supervisor starts. */
export interface ContainerdCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** Path of the socket that containerd serves its API on. */
export const containerdSocket = (config: Pick<ContainerdConfig, "stateDirectory">): string =>
  join(config.stateDirectory, "containerd.sock");

const configFile = (config: ContainerdConfig): string => join(config.rootDirectory, "config.toml");
const registryFolder = (config: ContainerdConfig): string => join(config.rootDirectory, "certs.d");

/** What was found out about the machine. */
export interface ContainerdFacts {
  readonly snapshotter: "overlayfs" | "native";
  /** The process may not raise its own limits: containerd must not try to lower OOM scores. */
  readonly restrictOomScore: boolean;
  readonly cni: CniFolders;
}

/** Whether a process with this `/proc/self/status` may lower OOM scores (CAP_SYS_RESOURCE). */
export function hasSysResource(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}

/**
 * overlayfs needs the kernel's support and a file system that can be its upper layer (another overlay cannot),
 * so it is tried where the images will lie.
 */
async function detectSnapshotter(
  folder: string,
  processes: Processes,
  signal: AbortSignal,
): Promise<"overlayfs" | "native"> {
  const trial = join(folder, ".overlay-trial");
  const part = (name: string) => join(trial, name);
  for (const name of ["lower", "upper", "work", "merged"]) await mkdir(part(name), { recursive: true });
  const options = `lowerdir=${part("lower")},upperdir=${part("upper")},workdir=${part("work")}`;
  const args = ["-t", "overlay", "overlay", "-o", options, part("merged")];
  const mounted = await processes.run("mount", { args, timeoutMs: 10_000 }, signal);
  if (mounted.code === 0) await processes.run("umount", { args: [part("merged")], timeoutMs: 10_000 }, signal);
  await rm(trial, { recursive: true, force: true });
  return mounted.code === 0 ? "overlayfs" : "native";
}

const quote = (text: string): string => JSON.stringify(text);

/**
 * The configuration file, in the format's version 2, which containerd 1.6 to 2.x read (2.x converts it as it starts).
 * Plugins that a node does not use are off: they cost start time and memory.
 */
export function containerdToml(config: ContainerdConfig, facts: ContainerdFacts): string {
  const unused = ["aufs", "btrfs", "devmapper", "zfs", "blockfile", "native", "overlayfs"]
    .filter((name) => name !== facts.snapshotter)
    .map((name) => `io.containerd.snapshotter.v1.${name}`)
    .concat(
      "io.containerd.internal.v1.opt",
      "io.containerd.internal.v1.tracing",
      "io.containerd.tracing.processor.v1.otlp",
    )
    .concat("io.containerd.internal.v1.restart", "io.containerd.nri.v1.nri");
  return `# Written by skiff at every start.
version = 2
root = ${quote(join(config.rootDirectory, "root"))}
state = ${quote(join(config.stateDirectory, "state"))}
disabled_plugins = [${unused.map(quote).join(", ")}]

[grpc]
address = ${quote(containerdSocket(config))}

# To containerd the pod of a shim that does not answer in time has process 0, and containers that it makes for it fail: 2 s are too
# little on a machine that has too much to do. Less than the 10 s that it takes for each container at its own start.
[timeouts]
"io.containerd.timeout.task.state" = "8s"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${quote(pauseImageName)}
restrict_oom_score_adj = ${facts.restrictOomScore}
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
# The kubelet closes idle connections, after the time that it was told.
stream_idle_timeout = "0s"
enable_selinux = false
tolerate_missing_hugetlb_controller = true
enable_unprivileged_ports = true
enable_unprivileged_icmp = true
enable_cdi = true
cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = ${quote(facts.snapshotter)}
default_runtime_name = "runc"
discard_unpacked_layers = false

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = ${quote(facts.cni.plugins)}
conf_dir = ${quote(facts.cni.lists)}
max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = ${quote([...(config.hostsFolder === undefined ? [] : [config.hostsFolder]), registryFolder(config)].join(":"))}
`;
}

/**
 * A registry's `hosts.toml`. One address for the registry itself: with two, containerd reports what the wrong one said
 * where the right one has no such image.
 */
export function registryHosts({ host, mirrors, insecure, skipVerify = false, ca }: RegistryConfig): string {
  const own = `${insecure ? "http" : "https"}://${host === "docker.io" ? "registry-1.docker.io" : host}`;
  const trust = `${skipVerify ? "skip_verify = true\n" : ""}${ca === undefined ? "" : `ca = ${quote(ca)}\n`}`;
  const entry = (url: string) => `\n[host.${quote(url)}]\ncapabilities = ["pull", "resolve"]\n${trust}`;
  return `server = ${quote(own)}\n${[...mirrors, own].map(entry).join("")}`;
}

/** Finds out about the machine, writes containerd's files and gives the command that starts it. */
export async function prepareContainerd(
  config: ContainerdConfig,
  processes: Processes,
  signal: AbortSignal,
): Promise<ContainerdCommand> {
  const command = await findProgram("containerd");
  if (command === undefined) throw new Error("containerd is not installed");
  await mkdir(config.rootDirectory, { recursive: true, mode: 0o711 });
  await mkdir(config.stateDirectory, { recursive: true, mode: 0o711 });
  const facts: ContainerdFacts = {
    snapshotter: await detectSnapshotter(config.rootDirectory, processes, signal),
    restrictOomScore: !hasSysResource(await readFile("/proc/self/status", "utf8")),
    cni: await preparePodNetwork(config),
  };
  const write = (path: string, content: string) => writeFileAtomic(path, content, { mode: 0o644 });
  await write(configFile(config), containerdToml(config, facts));
  await rm(registryFolder(config), { recursive: true, force: true });
  await mkdir(registryFolder(config), { recursive: true });
  for (const registry of config.registries) {
    await write(join(registryFolder(config), registry.host, "hosts.toml"), registryHosts(registry));
  }
  const shim = await findProgram(shimProgram);
  const folders = shim === undefined ? [] : await writeShimScript(config.rootDirectory, shim);
  return containerdCommand(config, command, folders);
}

/** The command that starts containerd with the files that `prepareContainerd` wrote. It looks for programs in `folders` first. */
export function containerdCommand(
  config: ContainerdConfig,
  program: string,
  folders: readonly string[],
): ContainerdCommand {
  const path = [...folders, process.env.PATH].filter(Boolean).join(":");
  return { command: "env", args: [`PATH=${path}`, program, "--config", configFile(config), "--log-level", "warn"] };
}
