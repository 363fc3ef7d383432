import { mkdir, open, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isJsonObject, type JsonValue, parseJson } from "@skiff/base";
import { GrpcStatus } from "@skiff/grpc";
import { type Processes, sharedFolder } from "@skiff/host";
import { type FileSystemKind, fileSystemKind, format } from "./file-system.ts";

/**
 * How a volume lies on the disk: a folder (`shared`: where an NFS server finds it), a file system of its own size in a file,
 * or a bare device in a file.
 */
export type VolumeForm = "folder" | "shared" | "image" | "block";

export const isFolder = (form: VolumeForm): boolean => form === "folder" || form === "shared";

/** A volume or snapshot as it is remembered beside its data. */
export interface StoredVolume {
  readonly id: string;
  readonly form: VolumeForm;
  readonly sizeBytes: number;
  /** Of an image; ext4 where absent. */
  readonly fileSystem?: FileSystemKind;
  /** What the data came from: of a snapshot its volume. */
  readonly source?: string;
  readonly createdMs: number;
}

type Kind = "volumes" | "snapshots";

/** Volumes and snapshots in folders of their own below one root: deleting the folder deletes the data. */
export class VolumeStore {
  readonly #root: string;
  readonly #processes: Processes;

  constructor(root: string, processes: Processes) {
    this.#root = root;
    this.#processes = processes;
  }

  /** The folder or file that holds the data. */
  dataOf(kind: Kind, { id, form }: Pick<StoredVolume, "id" | "form">): string {
    const folder = this.#folder(kind, id);
    if (form === "shared" && kind === "volumes") return this.#sharedData(id);
    return join(folder, isFolder(form) ? "data" : "image");
  }

  async find(kind: Kind, id: string): Promise<StoredVolume | undefined> {
    const text = await readFile(join(this.#folder(kind, id), "record.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : readRecord(parseJson(text));
  }

  async get(kind: Kind, id: string): Promise<StoredVolume> {
    const found = await this.find(kind, id);
    if (found === undefined) throw new GrpcStatus("NOT_FOUND", `${kind.slice(0, -1)} ${id} not found`);
    return found;
  }

  async list(kind: Kind): Promise<readonly StoredVolume[]> {
    const names = await readdir(join(this.#root, kind)).catch(() => []);
    const all = await Promise.all(names.map((id) => this.find(kind, id)));
    return all.filter((one) => one !== undefined);
  }

  /** Makes the data, empty or as a copy, and then the record: a folder without one is what an interruption left. */
  async create(
    kind: Kind,
    volume: StoredVolume,
    copyOf: { readonly kind: Kind; readonly volume: StoredVolume } | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const folder = this.#folder(kind, volume.id);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const data = this.dataOf(kind, volume);
    if (isFolder(volume.form)) {
      await rm(data, { recursive: true, force: true });
      await mkdir(dirname(data), { recursive: true, mode: 0o755 });
      await mkdir(data, { mode: 0o777 });
      // Whatever the umask is: pods of any user write here.
      await this.#run("chmod", ["0777", data], signal);
    }
    if (copyOf !== undefined) await this.#copy(this.dataOf(copyOf.kind, copyOf.volume), data, volume.form, signal);
    if (!isFolder(volume.form)) await grow(data, volume.sizeBytes);
    if (volume.form === "image" && copyOf === undefined)
      await format(volume.fileSystem ?? "ext4", data, this.#processes, signal);
    await this.#write(kind, volume);
  }

  async resize(volume: StoredVolume, sizeBytes: number): Promise<StoredVolume> {
    if (sizeBytes <= volume.sizeBytes) return volume;
    if (!isFolder(volume.form)) await grow(this.dataOf("volumes", volume), sizeBytes);
    const resized = { ...volume, sizeBytes };
    await this.#write("volumes", resized);
    return resized;
  }

  /** Fine when it is gone already. */
  async remove(kind: Kind, id: string): Promise<void> {
    const folder = this.#folder(kind, id);
    if (kind === "volumes") await rm(this.#sharedData(id), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }

  async #copy(from: string, to: string, form: VolumeForm, signal: AbortSignal): Promise<void> {
    const args = isFolder(form)
      ? ["-a", "--reflink=auto", `${from}/.`, to]
      : ["--reflink=auto", "--sparse=always", from, to];
    // The file system in an image has what it was given in memory still: that is not the image's own file system.
    await this.#run("sync", [], signal);
    await this.#run("cp", args, signal);
  }

  async #run(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#processes.output(command, { args }, signal);
  }

  async #write(kind: Kind, volume: StoredVolume): Promise<void> {
    const path = join(this.#folder(kind, volume.id), "record.json");
    await writeFile(`${path}.new`, JSON.stringify(volume), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #sharedData(id: string): string {
    return join(this.#root, sharedFolder, id);
  }

  /** Names come from outside: nothing but a plain one may become a part of a path. */
  #folder(kind: Kind, id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(id)) throw new GrpcStatus("NOT_FOUND", `there is no "${id}"`);
    return join(this.#root, kind, id);
  }
}

async function grow(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "a", 0o600);
  const { size } = await file.stat();
  await file.close();
  if (size < sizeBytes) await truncate(path, sizeBytes);
}

const isForm = (form: JsonValue | undefined): form is VolumeForm =>
  form === "folder" || form === "shared" || form === "image" || form === "block";

function readRecord(value: JsonValue): StoredVolume | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, form, sizeBytes, source, createdMs, fileSystem } = value;
  if (typeof id !== "string" || !isForm(form) || typeof sizeBytes !== "number") return undefined;
  return {
    id,
    form,
    sizeBytes,
    ...(typeof source === "string" ? { source } : {}),
    ...(typeof fileSystem === "string" ? { fileSystem: fileSystemKind(fileSystem) } : {}),
    createdMs: typeof createdMs === "number" ? createdMs : 0,
  };
}
