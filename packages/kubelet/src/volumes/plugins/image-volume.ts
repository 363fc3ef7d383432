import { mkdir } from "node:fs/promises";
import type { Mounts } from "@skiff/host";
import type { Runtime } from "@skiff/runtime";
import { ImageFailure } from "../../images/image-failure.ts";
import type { ImagePuller } from "../../images/image-puller.ts";
import { type MountedVolume, VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";

export interface ImageVolumeOptions {
  readonly runtime: Runtime;
  readonly images: ImagePuller;
  readonly mounts: Mounts | undefined;
}

/** Names the image's files in the runtime. */
const keyOf = (podUid: string, volume: string): string => `image-volume-${podUid}-${volume}`;

/**
 * The files of an image, read-only, and not to be executed from.
 * https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
 */
export function imageVolumePlugin({ runtime, images, mounts }: ImageVolumeOptions): VolumePlugin {
  return {
    name: "kubernetes.io/image",
    supports: ({ volume }) => volume.image !== undefined,
    async setUp({ pod, spec, folder }, signal): Promise<MountedVolume> {
      // The mount itself is read-only. Were the runtime told so too, it would mount anew and lose `noexec`.
      const mounted: MountedVolume = { kind: "files", path: folder, readonly: false, fsGroup: "never", usage: "none" };
      // What is mounted stays, whatever became of the image's name.
      if (mounts !== undefined && (await mounts.isMountPoint(folder))) return mounted;
      const { reference = "", pullPolicy } = spec.volume.image ?? {};
      const image = await images
        .ensure(
          pod,
          { name: spec.name, image: reference, ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }) },
          signal,
        )
        .catch((error: unknown) => {
          if (!(error instanceof ImageFailure)) throw error;
          throw new VolumeFailure(`${error.reason}: ${error.message}`, { cause: error });
        });
      await mkdir(folder, { recursive: true, mode: 0o755 });
      const files = await runtime.prepareImageFiles(image.id, keyOf(pod.metadata.uid, spec.name), signal);
      if (files === undefined || mounts === undefined) return mounted;
      if (files.fileSystem === "bind") {
        await mounts.bind(files.source, folder, { readonly: true, recursive: false }, signal);
        await mounts.remount(folder, ["ro", "bind", "noexec"], signal);
      } else {
        const options = [...new Set([...files.options, "ro", "noexec"])];
        await mounts.mount({ ...files, target: folder, options }, signal);
      }
      return mounted;
    },
    async tearDown({ podUid, name, folder }, signal) {
      await mounts?.unmountBelow(folder, signal);
      await runtime.releaseImageFiles(keyOf(podUid, name), signal);
    },
  };
}
