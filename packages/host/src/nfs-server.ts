/**
 * The NFS server behind volumes that many pods share: nfs-ganesha, a server in user space, with one export. Where a machine
 * cannot have that, the volumes are shared as folders: on one machine pods see the same files either way.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "./files.ts";
import type { Mounts } from "./mounts.ts";
import { findProgram } from "./packages.ts";

/** Name of the folder below the root of volumes, and of the export, that shared volumes lie in. */
export const sharedFolder = "shared";
/** The server is for this machine alone: NFS itself asks nobody who he is. */
export const nfsAddress = "127.0.0.1";

/** Who gives shared volumes to pods. */
export type Sharing =
  | { readonly kind: "nfs"; readonly command: string }
  /** `missing`: what an NFS server would need beyond what there is. */
  | { readonly kind: "folders"; readonly missing: readonly string[] };

/** Folders of plug-ins of the server, by the machine's architecture. */
const pluginFolders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
const localFiles = "libfsalvfs.so";
const serverProgram = "ganesha.nfsd";

/** Finds out what shared volumes can be served by here. */
export async function sharingOf(mounts: Mounts, signal: AbortSignal): Promise<Sharing> {
  const [command, helper, kernel, plugins] = await Promise.all([
    findProgram(serverProgram),
    findProgram("mount.nfs4"),
    mounts.supports("nfs4", signal),
    Promise.all(pluginFolders.map((folder) => readdir(join(folder, "ganesha")).catch((): string[] => []))),
  ]);
  const missing = [
    ...(command === undefined ? ["nfs-ganesha"] : []),
    ...(plugins.flat().includes(localFiles) ? [] : ["nfs-ganesha-vfs"]),
    ...(helper === undefined ? ["nfs-common"] : []),
    ...(kernel ? [] : ["an NFS client in the kernel"]),
  ];
  return command !== undefined && missing.length === 0 ? { kind: "nfs", command } : { kind: "folders", missing };
}

/** The program that serves shared volumes, where there is one. Nothing waits for the kernel on the many machines without. */
export async function nfsServerProgram(mounts: Mounts, signal: AbortSignal): Promise<string | undefined> {
  if ((await findProgram(serverProgram)) === undefined) return undefined;
  const sharing = await sharingOf(mounts, signal);
  return sharing.kind === "nfs" ? sharing.command : undefined;
}

export interface NfsServerOptions {
  /** Volumes lie below it, shared ones in their own folder. */
  readonly root: string;
  /** What the server keeps for itself. */
  readonly folder: string;
  readonly port: number;
}

const quote = (text: string): string => JSON.stringify(text);

const configuration = ({ root, folder, port }: NfsServerOptions): string => `# Written by skiff at every start.
NFS_CORE_PARAM {
  Protocols = 4;
  NFS_Port = ${port};
  Bind_addr = ${nfsAddress};
  Enable_UDP = false;
  Enable_NLM = false;
  Enable_RQUOTA = false;
}
NFS_KRB5 { Active_krb5 = false; }
NFSv4 {
  # Clients go on at once when the server was started again.
  Graceless = true;
  Only_Numeric_Owners = true;
  RecoveryBackend = fs;
  RecoveryRoot = ${quote(folder)};
}
EXPORT {
  Export_Id = 1;
  Path = ${quote(join(root, sharedFolder))};
  Pseudo = /${sharedFolder};
  Protocols = 4;
  Transports = TCP;
  SecType = sys;
  Access_Type = RW;
  # The node's own root gives volumes to the groups that pods ask for.
  Squash = No_Root_Squash;
  # Volumes come and go without the server being told.
  Attr_Expiration_Time = 0;
  FSAL { Name = VFS; }
}
`;

/** Writes the server's files and gives the arguments it is to be started with. It stays in the foreground. */
export async function prepareNfsServer(options: NfsServerOptions): Promise<readonly string[]> {
  const { root, folder } = options;
  for (const one of [root, folder]) await mkdir(one, { recursive: true, mode: 0o700 });
  await mkdir(join(root, sharedFolder), { recursive: true, mode: 0o755 });
  const file = join(folder, "ganesha.conf");
  await writeFileAtomic(file, configuration(options), { mode: 0o600 });
  return ["-F", "-f", file, "-p", join(folder, "ganesha.pid"), "-L", "STDOUT", "-N", "NIV_WARN"];
}
