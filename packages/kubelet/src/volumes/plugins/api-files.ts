import { createHash } from "node:crypto";
import { chmod, chown, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Random } from "@skiff/base";
import type { Client } from "@skiff/client";
import type { PodFolders } from "../../pods/folders.ts";
import { type VolumePayload, writeVolume } from "../atomic-writer.ts";
import type { PodCertificates } from "../pod-certificates.ts";
import type { ReferencedObjects } from "../referenced-objects.ts";
import type { ServiceAccountTokens } from "../service-account-token.ts";
import { volumePayload } from "../volume-payload.ts";
import { type MountedVolume, pluginFolder, VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";

export interface ApiFilesOptions {
  readonly folders: PodFolders;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly certificates: PodCertificates | undefined;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly allocatable: Readonly<Record<string, string>>;
}

type Source = "configMap" | "secret" | "downwardAPI" | "projected";

/** Volumes whose files the API provides; those that hold secrets never touch a disk. */
export function apiFilesPlugins(options: ApiFilesOptions): readonly VolumePlugin[] {
  const of = (source: Source, name: string) => apiFilesPlugin(source, `kubernetes.io/${name}`, options);
  return [
    of("configMap", "configmap"),
    of("secret", "secret"),
    of("downwardAPI", "downward-api"),
    of("projected", "projected"),
  ];
}

function apiFilesPlugin(source: Source, name: string, options: ApiFilesOptions): VolumePlugin {
  const { folders, objects, tokens, certificates, client, clock, random, allocatable } = options;
  const inMemory = source === "secret" || source === "projected";
  /** What was written last, by folder: a volume that shows the same as before is not looked at again. */
  const written = new Map<string, string>();
  return {
    name,
    supports: ({ volume }) => volume[source] !== undefined,
    async setUp({ pod, spec, folder: onDisk, before }, signal): Promise<MountedVolume> {
      const folder = inMemory ? join(folders.podMemory(pod.metadata.uid), pluginFolder(name), spec.name) : onDisk;
      const nowMs = clock.now();
      const sources = { client, nowMs, objects, tokens, certificates, allocatable };
      const payload = await volumePayload(spec.volume, { ...sources, pod, signal });
      if (payload === undefined) throw new VolumeFailure(`volume ${spec.name} has no source`);
      const group = pod.spec.securityContext?.fsGroup;
      const digest = digestOf(payload.files);
      if (before === undefined || written.get(folder) !== digest) {
        await mkdir(folder, { recursive: true, mode: 0o777 });
        const mode = inMemory ? 0o1777 : 0o777;
        if (before === undefined) {
          if (group !== undefined) await chown(folder, 0, group);
          await chmod(folder, group === undefined ? mode : mode | 0o2000);
          // Where others look for it; tear-down starts there too.
          if (inMemory) await symlink(folder, onDisk).catch(unlessThere);
        }
        await writeVolume(folder, payload.files, { nowMs, random, group });
        written.set(folder, digest);
      }
      return {
        kind: "files",
        path: folder,
        readonly: true,
        fsGroup: "never",
        refreshAtMs: payload.refreshAtMs,
        follows: true,
        usage: inMemory ? "none" : "files",
      };
    },
    async tearDown({ podUid, folder, name: volume }) {
      written.delete(folder);
      written.delete(join(folders.podMemory(podUid), pluginFolder(name), volume));
    },
  };
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

function digestOf(files: VolumePayload): string {
  const hash = createHash("sha256");
  for (const [path, file] of files) {
    hash.update(`${path.length} ${path} ${file.mode} ${file.uid ?? ""} ${file.data.length} `);
    hash.update(file.data);
  }
  return hash.digest("base64");
}
