import type { PersistentVolume } from "@skiff/api";

const revisionOf = ({ metadata }: PersistentVolume): number => Number(metadata.resourceVersion);

/**
 * Volumes as this controller wrote them, for as long as its cache is behind: claims that come at once would all choose
 * the volume that the first of them already has.
 */
export class NewestVolumes {
  readonly #written = new Map<string, PersistentVolume>();

  remember(volume: PersistentVolume): void {
    this.#written.set(volume.metadata.name, volume);
  }

  /** The newer of what the cache and this controller know of a volume. */
  of(cached: PersistentVolume): PersistentVolume {
    const written = this.#written.get(cached.metadata.name);
    if (written === undefined) return cached;
    if (written.metadata.uid === cached.metadata.uid && revisionOf(written) > revisionOf(cached)) return written;
    this.#written.delete(cached.metadata.name);
    return cached;
  }

  forget(name: string): void {
    this.#written.delete(name);
  }
}
