import { Nodes } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { Observations } from "../eviction/thresholds.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import { diskShortage, type HeldImage, outdated, planCollection } from "./plan-collection.ts";

const collectMs = 300_000;

/** A size as messages have it: `512 B`, `96.0 MiB`, `1.8 TiB`. */
function sizeText(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** Removes images that nothing uses when their file system fills up, or when they have been idle for too long. */
export class ImageCollector {
  readonly #parts: NodeParts;
  readonly #signals: () => Promise<Observations>;

  constructor(parts: NodeParts, signals: () => Promise<Observations>) {
    this.#parts = parts;
    this.#signals = signals;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, configuration } = this.#parts;
    // That is how people say that nothing is to be removed.
    if (configuration.imageGCHighThresholdPercent === 100 && configuration.imageMaximumGCAgeMs === 0) return;
    let hasFailed = false;
    for (;;) {
      await clock.sleep(collectMs, signal);
      try {
        await this.collect(signal);
        hasFailed = false;
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`collection of images: ${describeError(error)}`);
        if (hasFailed) this.#tell("ImageGCFailed", describeError(error));
        hasFailed = true;
      }
    }
  }

  /**
   * Removes what is too old, and as much as brings the disk back below the low threshold once it is above the high one.
   * Throws when there is not enough to remove.
   */
  async collect(signal: AbortSignal): Promise<void> {
    const { configuration, clock } = this.#parts;
    const nowMs = clock.now();
    const old = outdated(await this.#look(signal), configuration.imageMaximumGCAgeMs, nowMs);
    for (const { id } of old) await this.#remove(id, signal);
    const disk = (await this.#signals()).get("imagefs.available");
    if (disk === undefined) return;
    if (disk.capacity === 0) throw this.#failure("InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
    const { usedPercent, excessBytes } = diskShortage(disk, {
      highPercent: configuration.imageGCHighThresholdPercent,
      lowPercent: configuration.imageGCLowThresholdPercent,
    });
    if (excessBytes === 0) return;
    const minimumAgeMs = configuration.imageMinimumGCAgeMs;
    let freed = 0;
    for (const { id, sizeBytes } of planCollection(await this.#look(signal), { minimumAgeMs, nowMs: clock.now() })) {
      if (await this.#remove(id, signal)) freed += sizeBytes;
      if (freed >= excessBytes) return;
    }
    const size = sizeText(disk.capacity);
    throw this.#failure(
      "FreeDiskSpaceFailed",
      `Insufficient free disk space on the node's image filesystem (${usedPercent}% of ${size} used). Failed to free sufficient space by deleting unused images (freed ${freed} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`,
    );
  }

  /** Removes every image that nothing uses. */
  async collectAll(signal: AbortSignal): Promise<void> {
    const options = { minimumAgeMs: 0, nowMs: this.#parts.clock.now() };
    for (const { id } of planCollection(await this.#look(signal), options)) await this.#remove(id, signal);
  }

  async #look(signal: AbortSignal): Promise<readonly HeldImage[]> {
    const { runtime, clock, images: puller } = this.#parts;
    const nowMs = clock.now();
    const [images, containers] = await Promise.all([runtime.listImages(signal), runtime.listContainers(signal)]);
    const used = new Set(containers.flatMap(({ imageId, userImage }) => [imageId, userImage]));
    const held = images.map((image): HeldImage => {
      const inUse = [image.id, ...image.repoTags, ...image.repoDigests].some((name) => used.has(name));
      const use = inUse ? puller.uses.note(image.id, nowMs) : puller.uses.see(image.id, nowMs);
      return { image, inUse, ...use };
    });
    const ids = new Set(images.map(({ id }) => id));
    await puller.access.prune(ids, nowMs);
    puller.uses.prune(ids, nowMs);
    return held;
  }

  async #remove(id: string, signal: AbortSignal): Promise<boolean> {
    const { runtime, logger } = this.#parts;
    try {
      await runtime.removeImage(id, signal);
      logger.info(`removed image ${id}, which nothing used`);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn(`removal of image ${id}: ${describeError(error)}`);
      return false;
    }
  }

  #failure(reason: string, message: string): Error {
    this.#tell(reason, message);
    return new Error(message);
  }

  #tell(reason: string, message: string): void {
    const { recorder, node } = this.#parts;
    const metadata = { name: node.name, namespace: "", uid: node.name, resourceVersion: "", creationTimestamp: "" };
    recorder.record(Nodes, { metadata, spec: {}, status: {} }, { type: "Warning", reason, message });
  }
}
