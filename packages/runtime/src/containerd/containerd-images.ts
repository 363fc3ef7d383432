import { arch } from "node:process";
import type { Readable } from "node:stream";
import { type Clock, isJsonObject, timestamp } from "@skiff/base";
import type { GrpcChannel, Init, Method } from "@skiff/grpc";
import { normalizeImageName } from "../image-name.ts";
import { type FileSystemMount, type ImageSummary, type RegistryAuth, RuntimeError } from "../runtime.ts";
import { imageSummary } from "./cri-container.ts";
import { ImageService, RuntimeService } from "./generated/runtime-v1.ts";
import { isNotFound } from "./grpc-error.ts";
import { goArchitecture } from "./image-archive.ts";
import { importArchive } from "./import-image.ts";
import { Images, nativeCall, Snapshots } from "./native.ts";

const requestMs = 120_000;
/** Images of this name are made on the node: no registry has them. */
const madeHere = "docker.io/skiff/";

/** containerd's images: through the CRI, and for archives through containerd's own API. */
export class ContainerdImages {
  readonly #channel: GrpcChannel;
  readonly #clock: Clock;
  #snapshotter: string | undefined;

  constructor(channel: GrpcChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    signal: AbortSignal,
  ): Promise<Response> {
    return this.#channel.call(method, request, { signal, deadlineMs: requestMs });
  }

  async list(signal: AbortSignal): Promise<readonly ImageSummary[]> {
    const { images } = await this.#call(ImageService.listImages, {}, signal);
    return images.map(imageSummary);
  }

  async find(reference: string, signal: AbortSignal): Promise<ImageSummary | undefined> {
    const image = normalizeImageName(reference);
    const answer = await this.#call(ImageService.imageStatus, { image: { image } }, signal);
    return answer.image === undefined ? undefined : imageSummary(answer.image);
  }

  async pull(reference: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    const name = normalizeImageName(reference);
    const own = name.startsWith(madeHere) ? await this.find(name, signal) : undefined;
    if (own !== undefined) return own.id;
    const request = { image: { image: name }, auth };
    try {
      return (await this.#channel.call(ImageService.pullImage, request, { signal })).imageRef;
    } catch (error) {
      // Where no registry gives it, an image that somebody brought to the node stands in; it has no registry's digest.
      const brought = signal.aborted ? undefined : await this.find(name, signal).catch(() => undefined);
      if (brought === undefined || brought.repoDigests.length > 0) throw error;
      return brought.id;
    }
  }

  async remove(reference: string, signal: AbortSignal): Promise<void> {
    const name = normalizeImageName(reference);
    const image = await this.find(name, signal);
    if (image === undefined) return;
    // The CRI takes all names of an image away; asked for one of several, only that one goes.
    const others = [...image.repoTags, ...image.repoDigests].some((one) => one !== name);
    if (others && image.repoTags.includes(name))
      await nativeCall(this.#channel, Images.delete, { name, sync: true }, { signal });
    else await this.#call(ImageService.removeImage, { image: { image: name } }, signal);
  }

  /** Gives the names the archive brought, once the CRI knows them. `labels` go on the image records. */
  async import(
    archive: Readable,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    this.#snapshotter ??= await this.#findSnapshotter(signal);
    const imported = await importArchive(this.#channel, archive, {
      snapshotter: this.#snapshotter,
      architecture: goArchitecture(arch),
      labels,
      clock: this.#clock,
      signal,
    });
    for (const { id, names } of imported) {
      for (const name of names) await this.#untilKnown(name, id, signal);
    }
    return imported.flatMap(({ names }) => names);
  }

  /** The files of an image as a snapshot of its own, which keeps its layers even when the image is removed. */
  async prepareFiles(image: string, key: string, signal: AbortSignal): Promise<FileSystemMount> {
    this.#snapshotter ??= await this.#findSnapshotter(signal);
    const snapshotter = this.#snapshotter;
    const answer = await this.#call(ImageService.imageStatus, { image: { image }, verbose: true }, signal);
    const info: unknown = JSON.parse(answer.info.info ?? "{}");
    const parent = isJsonObject(info) ? info.chainID : undefined;
    if (typeof parent !== "string") throw new RuntimeError("NOT_FOUND", `image ${image} is not on the node`);
    // Without a root of its own containerd would collect it as garbage.
    const labels = { "containerd.io/gc.root": timestamp(this.#clock.now()) };
    const view = () => nativeCall(this.#channel, Snapshots.view, { snapshotter, key, parent, labels }, { signal });
    const { mounts } = await view().catch(async (error: unknown) => {
      if (!(error instanceof RuntimeError) || error.code !== "ALREADY_EXISTS") throw error;
      await this.releaseFiles(key, signal);
      return await view();
    });
    const [first] = mounts;
    if (first === undefined) throw new RuntimeError("UNKNOWN", `image ${image} cannot be mounted`);
    return { fileSystem: first.type, source: first.source, options: first.options };
  }

  async releaseFiles(key: string, signal: AbortSignal): Promise<void> {
    this.#snapshotter ??= await this.#findSnapshotter(signal);
    await nativeCall(this.#channel, Snapshots.remove, { snapshotter: this.#snapshotter, key }, { signal }).catch(
      (error: unknown) => {
        if (!isNotFound(error)) throw error;
      },
    );
  }

  /** The CRI hears of new images by an event, a few milliseconds later. */
  async #untilKnown(name: string, id: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await this.find(name, signal))?.id === id) return;
      await this.#clock.sleep(Math.min(2 + attempt, 50), signal);
    }
    throw new RuntimeError("UNKNOWN", `containerd does not list the imported image ${name}`);
  }

  async #findSnapshotter(signal: AbortSignal): Promise<string> {
    const { info } = await this.#call(RuntimeService.status, { verbose: true }, signal);
    const config: unknown = JSON.parse(info.config ?? "{}");
    const own = isJsonObject(config) && isJsonObject(config.containerd) ? config.containerd.snapshotter : undefined;
    return typeof own === "string" && own !== "" ? own : "overlayfs";
  }

  async fileSystem(signal: AbortSignal) {
    const { imageFilesystems } = await this.#call(ImageService.imageFsInfo, {}, signal);
    const first = imageFilesystems[0];
    return {
      mountpoint: first?.fsId?.mountpoint ?? "/",
      usedBytes: first?.usedBytes?.value ?? 0,
      inodesUsed: first?.inodesUsed?.value ?? 0,
    };
  }
}
