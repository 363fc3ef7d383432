import { Nodes } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { Observations } from "../eviction/thresholds.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import { type HeldImage, outdated, planCollection } from "./plan-collection.ts";

const collectMs = 300_000;

/** Removes images that nothing uses when their file system fills up, or when they have been idle for too long. */
export class ImageCollector {
  readonly #parts: NodeParts;
  readonly #signals: () => Promise<Observations>;
  readonly #seen = new Map<string, { seenMs: number; usedMs: number }>();

  constructor(parts: NodeParts, signals: () => Promise<Observations>) {
    this.#parts = parts;
    this.#signals = signals;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    for (;;) {
      await clock.sleep(collectMs, signal);
      try {
        await this.collect(signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`collection of images: ${describeError(error)}`);
      }
    }
  }

  /** Removes what is too old, and as much as brings the disk back below the low threshold once it is above the high one. */
  async collect(signal: AbortSignal): Promise<void> {
    const { configuration, clock } = this.#parts;
    const { imageGCHighThresholdPercent, imageGCLowThresholdPercent, imageMinimumGCAgeMs, imageMaximumGCAgeMs } =
      configuration;
    const held = await this.#look(signal);
    for (const { id } of outdated(held, imageMaximumGCAgeMs, clock.now())) await this.#remove(id, signal);
    const disk = (await this.#signals()).get("imagefs.available");
    if (disk === undefined || disk.capacity === 0) return;
    const usedPercent = 100 - Math.floor((disk.available * 100) / disk.capacity);
    if (usedPercent < imageGCHighThresholdPercent) return;
    const bytes = (disk.capacity * (100 - imageGCLowThresholdPercent)) / 100 - disk.available;
    const chosen = planCollection(await this.#look(signal), {
      bytes,
      minimumAgeMs: imageMinimumGCAgeMs,
      nowMs: clock.now(),
    });
    let freed = 0;
    for (const { id, sizeBytes } of chosen) if (await this.#remove(id, signal)) freed += sizeBytes;
    if (freed < bytes) this.#tellOfFailure(Math.ceil(bytes), freed);
  }

  /** Removes every image that nothing uses. */
  async collectAll(signal: AbortSignal): Promise<void> {
    const options = { bytes: Number.POSITIVE_INFINITY, minimumAgeMs: 0, nowMs: this.#parts.clock.now() };
    for (const { id } of planCollection(await this.#look(signal), options)) await this.#remove(id, signal);
  }

  async #look(signal: AbortSignal): Promise<readonly HeldImage[]> {
    const { runtime, clock } = this.#parts;
    const nowMs = clock.now();
    const [images, containers] = await Promise.all([runtime.listImages(signal), runtime.listContainers(signal)]);
    const used = new Set(containers.flatMap(({ imageId, userImage }) => [imageId, userImage]));
    const held = images.map((image): HeldImage => {
      const inUse = [image.id, ...image.repoTags, ...image.repoDigests].some((name) => used.has(name));
      const known = this.#seen.get(image.id) ?? { seenMs: nowMs, usedMs: 0 };
      if (inUse) known.usedMs = nowMs;
      this.#seen.set(image.id, known);
      return { image, inUse, ...known };
    });
    const ids = new Set(images.map(({ id }) => id));
    await this.#parts.images.access.prune(ids, nowMs);
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
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

  #tellOfFailure(wanted: number, freed: number): void {
    const { recorder, node } = this.#parts;
    const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
    const metadata = { name: node.name, namespace: "", uid: node.name, resourceVersion: "", creationTimestamp: "" };
    recorder.record(
      Nodes,
      { metadata, spec: {}, status: {} },
      { type: "Warning", reason: "FreeDiskSpaceFailed", message },
    );
  }
}
