import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { assert } from "@skiff/base";

/** A file of an image, by its absolute path. */
export type ImageFile =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array | string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number };

/** What images of the same files differ in. */
export interface ImageVariant {
  /** Full names with tag, as in `docker.io/skiff/hello:1`. */
  readonly names: readonly string[];
  readonly config: {
    /** Absent: the command is all there is, and users may put another in its place. */
    readonly entrypoint?: readonly string[];
    readonly command?: readonly string[];
    readonly env: readonly string[];
    readonly workingDir?: string;
    readonly exposedPorts?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** The one layer of images. Directories must stand before what is in them. */
export interface ImageLayer {
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly files: readonly ImageFile[];
}

/** An image of one layer. */
export interface ImageDefinition extends ImageVariant, ImageLayer {}

/** Bytes in parts, so that many megabytes are not copied at each step. */
type Chunks = readonly Uint8Array[];

const tarTypes = { file: "0", symlink: "2", directory: "5" };

const sizeOf = (chunks: Chunks): number => chunks.reduce((total, { length }) => total + length, 0);

/** One entry of a tar archive (ustar). Time and owner are 0, so that the same files give the same digest. */
function tarEntry(
  file: { readonly kind: ImageFile["kind"]; readonly path: string; readonly mode?: number },
  content: Chunks,
  target = "",
): Chunks {
  const header = Buffer.alloc(512);
  const size = sizeOf(content);
  const name = file.path.replace(/^\//, "") + (file.kind === "directory" ? "/" : "");
  assert(Buffer.byteLength(name) <= 100 && Buffer.byteLength(target) <= 100, `${name} is too long a name for an image`);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(file.mode ?? 0o777, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(" ".repeat(8), 148);
  header.write(tarTypes[file.kind], 156);
  header.write(target, 157);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, ...content, Buffer.alloc((512 - (size % 512)) % 512)];
}

function entryOf(file: ImageFile): Chunks {
  if (file.kind === "symlink") return tarEntry(file, [], file.target);
  if (file.kind === "directory") return tarEntry(file, []);
  return tarEntry(file, [typeof file.content === "string" ? Buffer.from(file.content) : file.content]);
}

/** An archive's end: two blocks of nothing. */
const tarEnd = Buffer.alloc(1024);

/** Builds an image archive in the OCI layout. */
export const buildImage = (image: ImageDefinition): Readable => buildImages(image, [image]);

/** Builds an archive in the OCI layout of images that have one layer between them. */
export function buildImages(layer: ImageLayer, variants: readonly ImageVariant[]): Readable {
  const blobs = new Map<string, Chunks>();
  const store = (chunks: Chunks) => {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    const hex = hash.digest("hex");
    blobs.set(`blobs/sha256/${hex}`, chunks);
    return { digest: `sha256:${hex}`, size: sizeOf(chunks) };
  };
  const storeJson = (value: unknown) => store([Buffer.from(JSON.stringify(value))]);
  const layerBlob = store([...layer.files.flatMap(entryOf), tarEnd]);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifests = variants.flatMap(({ names, config: wanted }) => {
    const { entrypoint, command, env, workingDir, exposedPorts = [], labels = {} } = wanted;
    const config = storeJson({
      architecture: layer.architecture,
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: {
        ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
        ...(command === undefined ? {} : { Cmd: command }),
        Env: env,
        Labels: labels,
        ExposedPorts: Object.fromEntries(exposedPorts.map((port) => [port, {}])),
        ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
      },
      rootfs: { type: "layers", diff_ids: [layerBlob.digest] },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: "skiff" }],
    });
    const manifest = storeJson({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layerBlob }],
    });
    return names.map((name) => ({ mediaType, ...manifest, annotations: { "io.containerd.image.name": name } }));
  });
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  const file = (path: string, content: Chunks) => tarEntry({ kind: "file", path, mode: 0o644 }, content);
  return Readable.from([
    ...file("oci-layout", [Buffer.from('{"imageLayoutVersion":"1.0.0"}')]),
    ...file("index.json", [Buffer.from(JSON.stringify(index))]),
    ...[...blobs].flatMap(([path, content]) => file(path, content)),
    tarEnd,
  ]);
}
