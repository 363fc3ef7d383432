/** What is known of one image's use (epoch milliseconds). */
export interface ImageUse {
  /** When it was first seen. */
  readonly seenMs: number;
  /** When something last used it, as far as is known; 0: never. */
  readonly usedMs: number;
}

/**
 * When images were used last. Whoever needs an image says so (`note`), and the collector of images says what is in use
 * when it looks: by its looks alone, minutes apart, images of pods with short lives would seem never to have been used.
 */
export class ImageUses {
  readonly #known = new Map<string, ImageUse>();

  /** An image is there; gives what is known of it. */
  see(id: string, nowMs: number): ImageUse {
    const use = this.#known.get(id) ?? { seenMs: nowMs, usedMs: 0 };
    this.#known.set(id, use);
    return use;
  }

  /** An image is used now. */
  note(id: string, nowMs: number): ImageUse {
    const { seenMs, usedMs } = this.see(id, nowMs);
    const use = { seenMs, usedMs: Math.max(usedMs, nowMs) };
    this.#known.set(id, use);
    return use;
  }

  /** Forgets images that are gone. `sinceMs`: when they were listed; what was pulled or used after that stays. */
  prune(present: ReadonlySet<string>, sinceMs: number): void {
    for (const [id, { seenMs, usedMs }] of this.#known)
      if (!present.has(id) && Math.max(seenMs, usedMs) < sinceMs) this.#known.delete(id);
  }
}
