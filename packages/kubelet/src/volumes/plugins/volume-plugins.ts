import type { Mounts, Processes } from "@skiff/host";
import { type CsiPluginOptions, csiPlugin } from "../../csi/csi-plugin.ts";
import type { VolumePlugin } from "../volume-plugin.ts";
import { type ApiFilesOptions, apiFilesPlugins } from "./api-files.ts";
import { emptyDirPlugin } from "./empty-dir.ts";
import { gitRepoPlugin } from "./git-repo.ts";
import { hostPathPlugin } from "./host-path.ts";
import { type ImageVolumeOptions, imageVolumePlugin } from "./image-volume.ts";
import { localVolumePlugin } from "./local-volume.ts";
import { nfsPlugin } from "./nfs.ts";
import { remnants } from "./remnants.ts";

export interface VolumePluginsOptions
  extends ApiFilesOptions,
    ImageVolumeOptions,
    Omit<CsiPluginOptions, "rootFolder" | "podsFolder"> {
  readonly mounts: Mounts | undefined;
  readonly processes: Processes | undefined;
  readonly featureGates: Readonly<Record<string, boolean>>;
}

/** Every way in which this node provides volumes. */
export const volumePlugins = (options: VolumePluginsOptions): readonly VolumePlugin[] => [
  ...apiFilesPlugins(options),
  emptyDirPlugin(options),
  hostPathPlugin,
  imageVolumePlugin(options),
  localVolumePlugin(options),
  nfsPlugin(options.mounts),
  gitRepoPlugin({ enabled: options.featureGates.GitRepoVolumeDriver === true, processes: options.processes }),
  csiPlugin({ ...options, rootFolder: options.folders.root, podsFolder: options.folders.pods }),
  ...remnants,
];
