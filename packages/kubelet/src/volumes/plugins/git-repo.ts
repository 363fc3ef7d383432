import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import type { GitRepoVolumeSource } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { Processes } from "@skiff/host";
import { changeOwner } from "../fs-group.ts";
import { type MountedVolume, VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";
import { makeFolder } from "./empty-dir.ts";

const nobody = 65_534;
const cloneMs = 300_000;
const disabled =
  "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the feature-gate `GitRepoVolumeDriver`";

/**
 * A folder with a clone of a git repository, made once. What comes from a repository is not to be trusted, nor who wrote the
 * pod: git runs as nobody, without privileges and hooks, and sees the volume at `/mnt` in mounts of its own.
 */
export function gitRepoPlugin(options: {
  readonly enabled: boolean;
  readonly processes: Processes | undefined;
}): VolumePlugin {
  return {
    name: "kubernetes.io/git-repo",
    supports: ({ volume }) => volume.gitRepo !== undefined,
    async setUp({ spec, folder, stateFolder }, signal): Promise<MountedVolume> {
      const mounted = { kind: "files", path: folder, readonly: false, usage: "files" } as const;
      const source = spec.volume.gitRepo ?? { repository: "" };
      const { processes } = options;
      if (!options.enabled || processes === undefined) throw new VolumeFailure(disabled);
      checkGitRepo(source);
      const ready = join(stateFolder, "ready");
      if ((await stat(ready).catch(() => undefined)) !== undefined) return { ...mounted, fsGroup: "never" };
      // What an earlier attempt left would be in git's way.
      await rm(folder, { recursive: true, force: true });
      await makeFolder(folder);
      await chown(folder, nobody, nobody);
      await clone(processes, source, folder, signal);
      await changeOwner(folder, { uid: 0, gid: 0 });
      await chmod(folder, 0o777);
      await mkdir(stateFolder, { recursive: true, mode: 0o750 });
      await writeFile(ready, "");
      return { ...mounted, fsGroup: "always" };
    },
  };
}

/** Throws for what git would take for an option, and for folders that lead elsewhere. */
export function checkGitRepo({ repository, revision = "", directory = "" }: GitRepoVolumeSource): void {
  const refuse = (message: string) =>
    new VolumeFailure(message, { operation: "MountVolume.NewMounter initialization" });
  for (const [name, value] of Object.entries({ repository, revision, directory }))
    if (value.startsWith("-")) throw refuse(`${JSON.stringify(value)} is an invalid value for ${name}`);
  const clean = normalize(directory === "" ? "." : directory).replace(/\/$/, "");
  if (revision !== "" && /[/\\]/.test(clean))
    throw refuse(`${JSON.stringify(directory)} is not a valid directory, it must not contain a directory separator`);
  if (isAbsolute(clean) || clean.split("/").includes(".."))
    throw refuse(`${JSON.stringify(directory)} is an invalid value for directory`);
}

async function clone(
  processes: Processes,
  { repository, revision = "", directory = "" }: GitRepoVolumeSource,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const git = (args: readonly string[], below: string) => runGit(processes, { folder, below, args }, signal);
  await git(["clone", "--", repository, ...(directory === "" ? [] : [directory])], ".");
  if (revision === "") return;
  const names = await readdir(folder);
  const [only] = names;
  const here = directory !== "" && normalize(directory).replace(/\/$/, "") === ".";
  if (!here && (names.length !== 1 || only === undefined))
    throw new VolumeFailure(`unexpected directory contents: [${names.join(" ")}]`);
  const below = here ? "." : (only ?? ".");
  await git(["checkout", revision], below);
  await git(["reset", "--hard"], below);
}

/** Mounts the volume where nobody can reach it, then gives up all that root is. Arguments come as they are, none is read as a script. */
const confined = `mount --bind "$1" /mnt && cd "/mnt/$2" && shift 2 && exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`;

const settings = [
  "core.hooksPath=/dev/null",
  "protocol.file.allow=never",
  "protocol.ext.allow=never",
  "core.fsmonitor=false",
];

async function runGit(
  processes: Processes,
  { folder, below, args }: { readonly folder: string; readonly below: string; readonly args: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const command = ["git", ...settings.flatMap((one) => ["-c", one]), ...args];
  const fails = (output: string, cause?: unknown) =>
    new VolumeFailure(`failed to exec 'git ${args.join(" ")}': ${output}`, { cause });
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_TEMPLATE_DIR: "",
    GIT_LFS_SKIP_SMUDGE: "1",
  };
  const options = {
    args: ["--mount", "--propagation", "private", "--", "sh", "-c", confined, "sh", folder, below, ...command],
    timeoutMs: cloneMs,
    env,
  };
  const result = await processes.run("unshare", options, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw fails(describeError(error), error);
  });
  if (result.code !== 0) throw fails(`${(result.stderr || result.stdout).trim()}: exit status ${result.code}`);
}
