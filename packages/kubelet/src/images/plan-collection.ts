import type { ImageSummary } from "@skiff/runtime";

/** An image on the node, with what its use is judged by. */
export interface HeldImage {
  readonly image: ImageSummary;
  /** When it was first seen, and last seen in use (epoch milliseconds). */
  readonly seenMs: number;
  readonly usedMs: number;
  readonly inUse: boolean;
}

/** Images that came from an archive have no digest that a registry knows: nobody could bring them back. */
const isReplaceable = ({ pinned, repoDigests }: ImageSummary): boolean => !pinned && repoDigests.length > 0;

/**
 * Chooses the images to remove, those first that have not been used for longest, until `bytes` are free (infinite: all).
 * Images in use, pinned ones, those that no registry has, and those younger than `minimumAgeMs` stay.
 */
export function planCollection(
  held: readonly HeldImage[],
  options: { readonly bytes: number; readonly minimumAgeMs: number; readonly nowMs: number },
): readonly ImageSummary[] {
  const chosen: ImageSummary[] = [];
  let freed = 0;
  const candidates = held
    .filter((one) => !one.inUse && isReplaceable(one.image) && options.nowMs - one.seenMs >= options.minimumAgeMs)
    .toSorted((a, b) => a.usedMs - b.usedMs || a.seenMs - b.seenMs);
  for (const { image } of candidates) {
    if (freed >= options.bytes) break;
    chosen.push(image);
    freed += image.sizeBytes;
  }
  return chosen;
}

/** Images that have not been used for longer than `maximumAgeMs`. */
export const outdated = (held: readonly HeldImage[], maximumAgeMs: number, nowMs: number): readonly ImageSummary[] =>
  maximumAgeMs <= 0
    ? []
    : held
        .filter(
          (one) => !one.inUse && isReplaceable(one.image) && nowMs - Math.max(one.usedMs, one.seenMs) > maximumAgeMs,
        )
        .map(({ image }) => image);
