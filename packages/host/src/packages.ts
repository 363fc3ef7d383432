import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Processes, systemProcesses } from "./processes.ts";

/** The families of Linux distributions whose package names are known. */
export type Distribution = "debian" | "fedora" | "arch" | "alpine" | "opensuse";

/**
 * What a node needs from the system; etcd is for clusters whose store is one on this machine, and for tests; the registry and
 * the NFS client are for tests.
 */
export type Requirement =
  | "containerd"
  | "runc"
  | "cni-plugins"
  | "nftables"
  | "iproute2"
  | "conntrack"
  | "busybox"
  | "etcd"
  | "docker-registry"
  | "nfs-ganesha"
  | "libnfs-utils";

interface Known {
  /** Programs that must be found in the search path. */
  readonly programs: readonly string[];
  /** Or files of which one must exist. */
  readonly files?: readonly string[];
  readonly packages: Readonly<Record<Distribution, string>>;
}

/** Folders where distributions put the CNI plugins. */
export const cniPluginFolders: readonly string[] = [
  "/usr/lib/cni",
  "/opt/cni/bin",
  "/usr/libexec/cni",
  "/usr/local/lib/cni",
];

/** Of the CNI plugins, the one that nodes use. */
const neededCniPlugin = "portmap";

const everywhere = (name: string): Readonly<Record<Distribution, string>> => ({
  debian: name,
  fedora: name,
  arch: name,
  alpine: name,
  opensuse: name,
});

const known: Readonly<Record<Requirement, Known>> = {
  containerd: { programs: ["containerd"], packages: everywhere("containerd") },
  runc: { programs: ["runc"], packages: everywhere("runc") },
  "cni-plugins": {
    programs: [],
    files: cniPluginFolders.map((folder) => join(folder, neededCniPlugin)),
    packages: {
      debian: "containernetworking-plugins",
      fedora: "containernetworking-plugins",
      arch: "cni-plugins",
      alpine: "cni-plugins",
      opensuse: "cni-plugins",
    },
  },
  nftables: { programs: ["nft"], packages: everywhere("nftables") },
  iproute2: {
    programs: ["ip"],
    packages: { ...everywhere("iproute2"), fedora: "iproute" },
  },
  conntrack: {
    programs: ["conntrack"],
    packages: {
      debian: "conntrack",
      fedora: "conntrack-tools",
      arch: "conntrack-tools",
      alpine: "conntrack-tools",
      opensuse: "conntrack-tools",
    },
  },
  busybox: { programs: ["busybox"], packages: everywhere("busybox") },
  etcd: { programs: ["etcd"], packages: { ...everywhere("etcd"), debian: "etcd-server" } },
  "nfs-ganesha": {
    programs: ["ganesha.nfsd"],
    packages: { ...everywhere("nfs-ganesha"), debian: "nfs-ganesha-vfs", fedora: "nfs-ganesha-vfs" },
  },
  "libnfs-utils": { programs: ["nfs-ls", "nfs-cp"], packages: everywhere("libnfs-utils") },
  "docker-registry": { programs: ["docker-registry"], packages: everywhere("docker-registry") },
};

/** All that a node with real containers needs. */
export const allRequirements: readonly Requirement[] = [
  "containerd",
  "runc",
  "cni-plugins",
  "nftables",
  "iproute2",
  "conntrack",
  "busybox",
];

/** What `/etc/os-release` says of this system. */
export interface OperatingSystem {
  /** As in `debian`, `ubuntu`. */
  readonly id: string;
  /** As in `Debian GNU/Linux 12 (bookworm)`. */
  readonly prettyName: string;
  /** `undefined` when it belongs to no family whose packages are known. */
  readonly distribution: Distribution | undefined;
}

const families: readonly (readonly [Distribution, RegExp])[] = [
  ["debian", /^(debian|ubuntu)$/],
  ["fedora", /^(fedora|rhel|centos|rocky|almalinux|amzn)$/],
  ["arch", /^(arch|manjaro)$/],
  ["alpine", /^alpine$/],
  ["opensuse", /^(opensuse.*|suse|sles)$/],
];

/** Reads the text of an os-release file. */
export function parseOsRelease(text: string): OperatingSystem {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value.replaceAll(/^["']|["']$/g, ""));
  }
  const id = values.get("ID") ?? "linux";
  const names = [id, ...(values.get("ID_LIKE") ?? "").split(" ")];
  const family = families.find(([, pattern]) => names.some((name) => pattern.test(name)));
  return { id, prettyName: values.get("PRETTY_NAME") ?? id, distribution: family?.[0] };
}

const installers: Readonly<Record<Distribution, string>> = {
  debian: "apt-get install -y --no-install-recommends",
  fedora: "dnf install -y",
  arch: "pacman -S --needed --noconfirm",
  alpine: "apk add",
  opensuse: "zypper install -y",
};

/** The distribution's packages for some requirements; where the family is unknown, Debian's names. */
export const packageNames = (missing: readonly Requirement[], system: OperatingSystem): readonly string[] =>
  missing.map((requirement) => known[requirement].packages[system.distribution ?? "debian"]);

/** The command that installs what is missing, for the user to run; `undefined` where the family is unknown. */
export function installCommand(missing: readonly Requirement[], system: OperatingSystem): string | undefined {
  if (system.distribution === undefined) return undefined;
  return `sudo ${installers[system.distribution]} ${packageNames(missing, system).join(" ")}`;
}

/** The system's packages. */
export interface Packages {
  operatingSystem(): Promise<OperatingSystem>;
  /** Which of the requirements this machine lacks. */
  missing(requirements: readonly Requirement[]): Promise<readonly Requirement[]>;
  /** Whether `install` can do its work: Debian's family, as root. */
  canInstall(): Promise<boolean>;
  /** Installs one package after the other by apt-get; `announce` hears of each (its name) before it is installed. */
  install(
    requirements: readonly Requirement[],
    announce: (packageName: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Folders searched for programs, also those that are missing from the PATH of users who are not root. */
export const searchPath = (): readonly string[] => [
  ...new Set([
    ...(process.env.PATH ?? "").split(":").filter(Boolean),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
  ]),
];

const executable = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The full path of a program, or `undefined`. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of searchPath()) if (await executable(join(folder, name))) return join(folder, name);
  return undefined;
}

/** The folder with the CNI plugins, or `undefined`. */
export async function findCniPlugins(): Promise<string | undefined> {
  for (const folder of cniPluginFolders) if (await executable(join(folder, neededCniPlugin))) return folder;
  return undefined;
}

async function isMet(requirement: Requirement): Promise<boolean> {
  const { programs, files } = known[requirement];
  for (const program of programs) if ((await findProgram(program)) === undefined) return false;
  if (files === undefined) return true;
  for (const file of files) if (await executable(file)) return true;
  return false;
}

/** The packages of this machine. */
export function systemPackages(processes: Processes = systemProcesses): Packages {
  const operatingSystem = async (): Promise<OperatingSystem> => {
    const text = await readFile("/etc/os-release", "utf8").catch(() => readFile("/usr/lib/os-release", "utf8"));
    return parseOsRelease(text);
  };
  const apt = (args: readonly string[], signal: AbortSignal) =>
    processes.run(
      "apt-get",
      { args, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 },
      signal,
    );
  return {
    operatingSystem,
    async missing(requirements) {
      const met = await Promise.all(requirements.map(isMet));
      return requirements.filter((_, index) => !met[index]);
    },
    async canInstall() {
      const system = await operatingSystem().catch(() => undefined);
      return (
        system?.distribution === "debian" && process.getuid?.() === 0 && (await findProgram("apt-get")) !== undefined
      );
    },
    async install(requirements, announce, signal) {
      const names = packageNames(requirements, await operatingSystem());
      let updated = false;
      for (const name of names) {
        announce(name);
        const args = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", name];
        let result = await apt(args, signal);
        if (result.code !== 0 && !updated) {
          // The lists of packages may be missing or too old.
          await apt(["update"], signal);
          updated = true;
          result = await apt(args, signal);
        }
        if (result.code !== 0) throw new Error(`apt-get could not install ${name}: ${lastLine(result.stderr)}`);
      }
    },
  };
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
