import { GrpcStatus } from "@skiff/grpc";
import { CommandError, type Processes } from "@skiff/host";

/** What a volume of a size of its own can be formatted as. */
export type FileSystemKind = "ext4" | "xfs";

const kinds: Readonly<
  Record<
    FileSystemKind,
    {
      readonly smallestBytes: number;
      readonly make: readonly [string, ...string[]];
      readonly options: readonly string[];
    }
  >
> = {
  ext4: { smallestBytes: 4 * 1024 ** 2, make: ["mkfs.ext4", "-q", "-F"], options: ["loop"] },
  // A copy has the identity of what it was copied from, and both may be mounted.
  xfs: { smallestBytes: 300 * 1024 ** 2, make: ["mkfs.xfs", "-q", "-f"], options: ["loop", "nouuid"] },
};

/** The kind of that name; empty: the usual one. Throws `INVALID_ARGUMENT` for others. */
export function fileSystemKind(name: string): FileSystemKind {
  if (name === "" || name === "ext4") return "ext4";
  if (name === "xfs") return "xfs";
  throw new GrpcStatus("INVALID_ARGUMENT", `volumes are formatted as ext4 or xfs, not as ${name}`);
}

export const smallestBytes = (kind: FileSystemKind): number => kinds[kind].smallestBytes;
export const mountOptions = (kind: FileSystemKind): readonly string[] => kinds[kind].options;

/** Formats the file or device at `path`. */
export async function format(
  kind: FileSystemKind,
  path: string,
  processes: Processes,
  signal: AbortSignal,
): Promise<void> {
  const [command, ...args] = kinds[kind].make;
  await processes.output(command, { args: [...args, path] }, signal).catch((error: unknown) => {
    if (!(error instanceof CommandError) || error.code !== "NOT_INSTALLED") throw error;
    throw new GrpcStatus("INVALID_ARGUMENT", `this node has no ${command}: ${kind} cannot be made here`);
  });
}

/** Lets a file system that is not mounted fill its file, which may have grown; xfs does so only when it is mounted. */
export async function fillUnmounted(
  kind: FileSystemKind,
  path: string,
  processes: Processes,
  signal: AbortSignal,
): Promise<void> {
  if (kind === "xfs") return;
  await processes.run("e2fsck", { args: ["-f", "-p", path] }, signal);
  await processes.output("resize2fs", { args: [path] }, signal);
}

/** The same while it is mounted. ext4 grows so only by who has CAP_SYS_RESOURCE; for all others when it is next mounted. */
export async function fillMounted(
  kind: FileSystemKind,
  { device, target }: { readonly device: string; readonly target: string },
  processes: Processes,
  signal: AbortSignal,
): Promise<void> {
  const [command, path] = kind === "xfs" ? (["xfs_growfs", target] as const) : (["resize2fs", device] as const);
  const { code, stderr } = await processes.run(command, { args: [path] }, signal);
  if (code === 0) return;
  const words = stderr.trim();
  if (!words.includes("Permission denied")) throw new GrpcStatus("INTERNAL", words);
  throw new GrpcStatus("FAILED_PRECONDITION", "the file system grows when the volume is next mounted");
}
