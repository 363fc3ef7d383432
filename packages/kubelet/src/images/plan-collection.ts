import type { ImageSummary } from "@skiff/runtime";
import type { ImageUse } from "./image-uses.ts";

/** An image on the node, with what its use is judged by. */
export interface HeldImage extends ImageUse {
  readonly image: ImageSummary;
  readonly inUse: boolean;
}

/** Images that came from an archive have no digest that a registry knows: nobody could bring them back. */
const isReplaceable = ({ pinned, repoDigests }: ImageSummary): boolean => !pinned && repoDigests.length > 0;

/**
 * The images that may go, those first that have not been used for longest. Images in use, pinned ones, those that no
 * registry has, and those younger than `minimumAgeMs` stay.
 */
export const planCollection = (
  held: readonly HeldImage[],
  options: { readonly minimumAgeMs: number; readonly nowMs: number },
): readonly ImageSummary[] =>
  held
    .filter((one) => !one.inUse && isReplaceable(one.image) && options.nowMs - one.seenMs >= options.minimumAgeMs)
    .toSorted((a, b) => a.usedMs - b.usedMs || a.seenMs - b.seenMs)
    .map(({ image }) => image);

/** How full the images' disk is, in whole percent, and how much has to go where that is too much. Sizes in bytes. */
export function diskShortage(
  { available, capacity }: { readonly available: number; readonly capacity: number },
  { highPercent, lowPercent }: { readonly highPercent: number; readonly lowPercent: number },
): { readonly usedPercent: number; readonly excessBytes: number } {
  const usedPercent = 100 - Math.floor((Math.min(available, capacity) * 100) / capacity);
  const excess = Math.floor((capacity * (100 - lowPercent)) / 100) - available;
  return { usedPercent, excessBytes: usedPercent < highPercent ? 0 : Math.max(0, excess) };
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
