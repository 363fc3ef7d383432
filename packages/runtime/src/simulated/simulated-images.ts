import { createHash } from "node:crypto";
import { normalizeImageName } from "../image-name.ts";
import type { ImageSummary } from "../runtime.ts";
import { pullFailure } from "./behaviour.ts";

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const imageBytes = 5_000_000;

/** Images that are nothing but their names. The same name always has the same id. */
export class SimulatedImages {
  readonly #byName = new Map<string, ImageSummary>();

  list(): readonly ImageSummary[] {
    return [...this.#byName.values()];
  }

  find(reference: string): ImageSummary | undefined {
    const name = normalizeImageName(reference);
    return (
      this.#byName.get(name) ?? this.list().find(({ id, repoDigests }) => id === name || repoDigests.includes(name))
    );
  }

  /** Throws what a registry would say where the name asks for it. */
  pull(reference: string): ImageSummary {
    const name = normalizeImageName(reference);
    const failure = pullFailure(name);
    if (failure !== undefined) throw failure;
    return this.add(name);
  }

  add(reference: string): ImageSummary {
    const name = normalizeImageName(reference);
    const repository = name.replace(/[:@][^/]*$/, "");
    const image: ImageSummary = {
      id: digestOf(name),
      repoTags: name.includes("@") ? [] : [name],
      repoDigests: [name.includes("@") ? name : `${repository}@${digestOf(`manifest of ${name}`)}`],
      sizeBytes: imageBytes,
      pinned: false,
    };
    this.#byName.set(name, image);
    return image;
  }

  remove(reference: string): void {
    const image = this.find(reference);
    for (const [name, one] of this.#byName) if (one === image) this.#byName.delete(name);
  }

  get usedBytes(): number {
    return this.#byName.size * imageBytes;
  }
}
