import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject, timestamp } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import type { CredentialOwner } from "./keyring.ts";

const apiVersion = "kubelet.config.k8s.io/v1beta1";

/** Whose credentials a registry accepted for an image. */
export interface AcceptedCredentials {
  readonly secrets: readonly (CredentialOwner & { readonly credentialHash: string })[];
  readonly serviceAccounts: readonly CredentialOwner[];
  /** It was had without credentials, or with those of the node: every pod may use it. */
  readonly nodePodsAccessible: boolean;
}

/** That the kubelet pulled an image, and with what; by names without tag and digest, for an image may have several. */
export interface PulledRecord {
  readonly imageRef: string;
  readonly updatedMs: number;
  readonly accepted: Readonly<Record<string, AcceptedCredentials>>;
}

const fileOf = (name: string): string => `sha256-${createHash("sha256").update(name).digest("hex")}`;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
const owner = (one: JsonObject): CredentialOwner => ({
  uid: text(one.uid),
  namespace: text(one.namespace),
  name: text(one.name),
});

function parseRecord(json: JsonObject): PulledRecord | undefined {
  if (json.kind !== "ImagePulledRecord" || typeof json.imageRef !== "string") return undefined;
  const mapping = isJsonObject(json.credentialMapping) ? json.credentialMapping : {};
  const accepted = Object.entries(mapping).flatMap(([name, one]): [string, AcceptedCredentials][] => {
    if (!isJsonObject(one)) return [];
    const secrets = list(one.kubernetesSecrets).map((secret) => ({
      ...owner(secret),
      credentialHash: text(secret.credentialHash),
    }));
    const serviceAccounts = list(one.kubernetesServiceAccounts).map(owner);
    return [[name, { secrets, serviceAccounts, nodePodsAccessible: one.nodePodsAccessible === true }]];
  });
  const updatedMs = Date.parse(text(json.lastUpdatedTime));
  return {
    imageRef: json.imageRef,
    updatedMs: Number.isNaN(updatedMs) ? 0 : updatedMs,
    accepted: Object.fromEntries(accepted),
  };
}

const recordJson = ({ imageRef, updatedMs, accepted }: PulledRecord): object => ({
  kind: "ImagePulledRecord",
  apiVersion,
  lastUpdatedTime: timestamp(updatedMs),
  imageRef,
  credentialMapping: Object.fromEntries(
    Object.entries(accepted).map(([name, { secrets, serviceAccounts, nodePodsAccessible }]) => [
      name,
      {
        ...(secrets.length === 0 ? {} : { kubernetesSecrets: secrets }),
        ...(serviceAccounts.length === 0 ? {} : { kubernetesServiceAccounts: serviceAccounts }),
        ...(nodePodsAccessible ? { nodePodsAccessible } : {}),
      },
    ]),
  ),
});

/**
 * What the kubelet knows of images that it pulled itself, in the kubelet's own files (`image_manager/pulled`,
 * `image_manager/pulling`), so that a restart does not make private images everybody's.
 */
export class PullRecords {
  readonly #folder: string | undefined;
  readonly #records = new Map<string, PulledRecord>();
  /** How many pulls of each image are on their way. */
  readonly #intents = new Map<string, number>();

  /** `folder`: the kubelet's root; absent: nothing is kept. */
  constructor(folder: string | undefined) {
    this.#folder = folder === undefined ? undefined : join(folder, "image_manager");
  }

  /** Reads what an earlier kubelet knew; gives the images whose pull it did not see the end of. */
  async load(): Promise<readonly string[]> {
    for (const json of await this.#read("pulled")) {
      const record = parseRecord(json);
      if (record !== undefined) this.#records.set(record.imageRef, record);
    }
    const begun = (await this.#read("pulling")).map((json) => text(json.image)).filter((image) => image !== "");
    for (const image of begun) this.#intents.set(image, 0);
    return begun;
  }

  get(imageRef: string): PulledRecord | undefined {
    return this.#records.get(imageRef);
  }

  isBegun(image: string): boolean {
    return this.#intents.has(image);
  }

  async begin(image: string): Promise<void> {
    const pulls = this.#intents.get(image);
    this.#intents.set(image, (pulls ?? 0) + 1);
    if (pulls === undefined) await this.#write("pulling", image, { kind: "ImagePullIntent", apiVersion, image });
  }

  async end(image: string): Promise<void> {
    const pulls = this.#intents.get(image) ?? 0;
    if (pulls > 1) this.#intents.set(image, pulls - 1);
    else if (this.#intents.delete(image)) await this.#remove("pulling", image);
  }

  async put(record: PulledRecord): Promise<void> {
    this.#records.set(record.imageRef, record);
    await this.#write("pulled", record.imageRef, recordJson(record));
  }

  /** Forgets images that are no longer on the node, save those recorded since `beforeMs`. */
  async prune(present: ReadonlySet<string>, beforeMs: number): Promise<void> {
    for (const { imageRef, updatedMs } of this.#records.values()) {
      if (present.has(imageRef) || updatedMs >= beforeMs) continue;
      this.#records.delete(imageRef);
      await this.#remove("pulled", imageRef);
    }
  }

  async #write(kind: "pulled" | "pulling", name: string, value: object): Promise<void> {
    if (this.#folder === undefined) return;
    const folder = join(this.#folder, kind);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(folder, fileOf(name)), `${JSON.stringify(value)}\n`, { mode: 0o600 });
  }

  async #remove(kind: "pulled" | "pulling", name: string): Promise<void> {
    if (this.#folder !== undefined) await rm(join(this.#folder, kind, fileOf(name)), { force: true });
  }

  async #read(kind: "pulled" | "pulling"): Promise<readonly JsonObject[]> {
    if (this.#folder === undefined) return [];
    const folder = join(this.#folder, kind);
    const names = await readdir(folder).catch(() => []);
    const read = names.map(async (name) => {
      try {
        const parsed: unknown = JSON.parse(await readFile(join(folder, name), "utf8"));
        return isJsonObject(parsed) ? [parsed] : [];
      } catch {
        // Half a file of a power cut: the image counts as one that nobody has shown credentials for.
        return [];
      }
    });
    return (await Promise.all(read)).flat();
  }
}
