/**
 * What is in an image archive, once its blobs are stored: the OCI layout (`index.json`) or docker's `manifest.json`,
 * or both (docker 25 and later write both). Pure: paths and documents in, images out.
 */
import { isJsonObject, type JsonObject } from "@skiff/base";
import { normalizeImageName } from "../image-name.ts";
import { RuntimeError } from "../runtime.ts";
import type { Blob } from "./content.ts";

/** A file of the archive, stored. */
export interface ArchivedBlob extends Blob {
  readonly gzip: boolean;
}

export interface Archive {
  /** By path. */
  readonly blobs: ReadonlyMap<string, ArchivedBlob>;
  /** Small files that hold JSON objects or lists, by path. */
  readonly documents: ReadonlyMap<string, unknown>;
  /** Links (docker's older archives have them for repeated layers), resolved: path to path. */
  readonly links: ReadonlyMap<string, string>;
}

export interface Layer extends Blob {
  readonly mediaType: string;
}

/** An image of the archive. */
export interface ArchivedImage {
  /** Full names; may be empty. */
  readonly names: readonly string[];
  readonly config: Blob;
  readonly layers: readonly Layer[];
  /** Digests of the layers' uncompressed tars, from the configuration. */
  readonly diffIds: readonly string[];
  /** The manifest as it is in the archive; absent where docker's format has none. */
  readonly manifest?: Layer;
}

const invalid = (message: string): RuntimeError => new RuntimeError("INVALID_ARGUMENT", message);
const object = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): readonly string[] => list(value).filter((one) => typeof one === "string");

const manifestTypes = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);
const indexTypes = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/** Go's name, as manifests have it, for an architecture as Node names it. */
export const goArchitecture = (architecture: NodeJS.Architecture): string =>
  architecture === "x64" ? "amd64" : architecture;

class ArchiveReader {
  readonly #archive: Archive;
  readonly #architecture: string;
  constructor(archive: Archive, architecture: string) {
    this.#archive = archive;
    this.#architecture = architecture;
  }

  #path(path: string): string {
    const clean = path.replace(/^\.\//, "");
    return this.#archive.links.get(clean) ?? clean;
  }

  #blobAt(path: string): ArchivedBlob {
    const blob = this.#archive.blobs.get(this.#path(path));
    if (blob === undefined) throw invalid(`the archive lacks ${path}`);
    return blob;
  }

  static #pathOf(digest: string): string {
    return `blobs/${digest.replace(":", "/")}`;
  }

  #diffIds(configPath: string): readonly string[] {
    return texts(object(object(this.#archive.documents.get(this.#path(configPath))).rootfs).diff_ids);
  }

  /** Images of `manifest.json`. */
  docker(): readonly ArchivedImage[] {
    return list(this.#archive.documents.get("manifest.json"))
      .map(object)
      .map((entry) => ({
        names: texts(entry.RepoTags).map(normalizeImageName),
        config: this.#blobAt(text(entry.Config)),
        diffIds: this.#diffIds(text(entry.Config)),
        layers: texts(entry.Layers).map((path) => {
          const { digest, size, gzip } = this.#blobAt(path);
          return { digest, size, mediaType: `application/vnd.oci.image.layer.v1.tar${gzip ? "+gzip" : ""}` };
        }),
      }));
  }

  /** Images of `index.json` that this machine can run. */
  oci(): readonly ArchivedImage[] {
    const descriptors = list(object(this.#archive.documents.get("index.json")).manifests).map(object);
    return descriptors.flatMap((descriptor) => {
      const manifest = this.#runnable(descriptor);
      return manifest === undefined ? [] : [this.#ociImage(manifest, namesOf(object(descriptor.annotations)))];
    });
  }

  /** The manifest that a descriptor stands for on this machine. */
  #runnable(descriptor: JsonObject): JsonObject | undefined {
    const platform = object(descriptor.platform);
    const fits =
      descriptor.platform === undefined || (platform.os === "linux" && platform.architecture === this.#architecture);
    if (!fits) return undefined;
    const type = text(descriptor.mediaType);
    if (indexTypes.has(type)) {
      const inner = object(this.#archive.documents.get(ArchiveReader.#pathOf(text(descriptor.digest))));
      return list(inner.manifests)
        .map(object)
        .filter((one) => this.#archive.blobs.has(ArchiveReader.#pathOf(text(one.digest))))
        .map((one) => this.#runnable(one))
        .find((one) => one !== undefined);
    }
    return manifestTypes.has(type) || type === "" ? descriptor : undefined;
  }

  #ociImage(descriptor: JsonObject, names: readonly string[]): ArchivedImage {
    const path = ArchiveReader.#pathOf(text(descriptor.digest));
    const manifest = object(this.#archive.documents.get(path));
    const configPath = ArchiveReader.#pathOf(text(object(manifest.config).digest));
    const layers = list(manifest.layers).map(object);
    const mediaType =
      text(descriptor.mediaType) || text(manifest.mediaType) || "application/vnd.oci.image.manifest.v1+json";
    const { digest, size } = this.#blobAt(path);
    return {
      names,
      manifest: { digest, size, mediaType },
      config: this.#blobAt(configPath),
      diffIds: this.#diffIds(configPath),
      layers: layers.map((layer) => {
        const blob = this.#blobAt(ArchiveReader.#pathOf(text(layer.digest)));
        return { digest: blob.digest, size: blob.size, mediaType: text(layer.mediaType) };
      }),
    };
  }
}

/** `io.containerd.image.name` is a full name; OCI's `ref.name` often is a tag alone, which names no image. */
function namesOf(annotations: JsonObject): readonly string[] {
  const full = text(annotations["io.containerd.image.name"]);
  if (full !== "") return [normalizeImageName(full)];
  const reference = text(annotations["org.opencontainers.image.ref.name"]);
  return /[/:]/.test(reference) ? [normalizeImageName(reference)] : [];
}

/** The images of an archive. Throws `INVALID_ARGUMENT` where it is none, or where parts are missing. */
export function imagesOf(archive: Archive, architecture: string): readonly ArchivedImage[] {
  const reader = new ArchiveReader(archive, architecture);
  const oci = archive.documents.has("index.json") ? reader.oci() : [];
  const docker = archive.documents.has("manifest.json") ? reader.docker() : [];
  const merged = new Map<string, ArchivedImage>();
  // Docker's tags belong to OCI's manifest of the same image: that one has the digest others know it by.
  for (const image of [...oci, ...docker]) {
    const held = merged.get(image.config.digest);
    const names = [...new Set([...(held?.names ?? []), ...image.names])];
    merged.set(image.config.digest, { ...(held ?? image), names });
  }
  const images = [...merged.values()];
  if (!archive.documents.has("index.json") && !archive.documents.has("manifest.json")) {
    throw invalid("this is no image archive: it has neither index.json nor manifest.json");
  }
  if (images.length === 0) throw invalid(`the archive has no image for linux/${architecture}`);
  for (const image of images) {
    if (image.diffIds.length !== image.layers.length) {
      throw invalid(
        `the archive is damaged: ${image.layers.length} layers, but ${image.diffIds.length} in the configuration`,
      );
    }
  }
  return images;
}
