import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { assert } from "@skiff/base";

/** A file of an image, by its absolute path. */
export type ImageFile =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array | string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number };

/** An image of one layer. */
export interface ImageDefinition {
  /** Full names with tag, as in `docker.io/skiff/hello:1`. */
  readonly names: readonly string[];
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly files: readonly ImageFile[];
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

const tarTypes = { file: "0", symlink: "2", directory: "5" };

/** One entry of a tar archive (ustar). Time and owner are 0, so that the same files give the same digest. */
function tarEntry(file: ImageFile): Buffer {
  const header = Buffer.alloc(512);
  const content = file.kind === "file" ? Buffer.from(file.content) : Buffer.alloc(0);
  const name = file.path.replace(/^\//, "") + (file.kind === "directory" ? "/" : "");
  const target = file.kind === "symlink" ? file.target : "";
  assert(Buffer.byteLength(name) <= 100 && Buffer.byteLength(target) <= 100, `${name} is too long a name for an image`);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(file.kind === "symlink" ? 0o777 : file.mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(" ".repeat(8), 148);
  header.write(tarTypes[file.kind], 156);
  header.write(target, 157);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

const tar = (files: readonly ImageFile[]): Buffer => Buffer.concat([...files.map(tarEntry), Buffer.alloc(1024)]);

/** Builds an image archive in the OCI layout. Directories must stand before what is in them. */
export function buildImage(image: ImageDefinition): Readable {
  const layer = tar(image.files);
  const blobs = new Map<string, Buffer>();
  const store = (bytes: Buffer) => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    blobs.set(`blobs/sha256/${hex}`, bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const storeJson = (value: unknown) => store(Buffer.from(JSON.stringify(value)));
  const layerBlob = store(layer);
  const { entrypoint, command, env, workingDir, exposedPorts = [], labels = {} } = image.config;
  const config = storeJson({
    architecture: image.architecture,
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
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = storeJson({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layerBlob }],
  });
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: image.names.map((name) => ({
      mediaType,
      ...manifest,
      annotations: { "io.containerd.image.name": name },
    })),
  };
  const file = (path: string, content: string | Buffer): ImageFile => ({ kind: "file", path, mode: 0o644, content });
  const archive = tar([
    file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    file("index.json", JSON.stringify(index)),
    ...[...blobs].map(([path, content]) => file(path, content)),
  ]);
  return Readable.from([archive]);
}
