import type { Clock } from "@skiff/base";
import type { Runtime } from "@skiff/runtime";
import type { PullLogin } from "./keyring.ts";
import type { AcceptedCredentials, PullRecords } from "./pull-records.ts";
import { acceptedBy, judgeAccess, mergeAccepted, mustVerify, type VerificationPolicy } from "./verify-access.ts";

/**
 * Which pods may use an image that is on the node already: a private image that one pod's credentials brought here is not
 * everybody's. https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification
 */
export class ImageAccess {
  readonly #records: PullRecords;
  readonly #clock: Clock;
  readonly #rules: AccessRules;

  constructor(options: { readonly records: PullRecords; readonly clock: Clock; readonly rules: AccessRules }) {
    this.#records = options.records;
    this.#clock = options.clock;
    this.#rules = options.rules;
  }

  /** False where the feature is turned off: whatever is on the node is for all. */
  get isOn(): boolean {
    return this.#rules.enabled;
  }

  /** Pulls that an earlier kubelet did not see the end of: what came of them is nobody's until somebody shows credentials. */
  async resume(runtime: Runtime, signal: AbortSignal): Promise<void> {
    if (!this.isOn) return;
    const begun = new Set(await this.#records.load());
    if (begun.size === 0) return;
    for (const { id, repoTags, repoDigests } of await runtime.listImages(signal)) {
      for (const name of [...repoTags, ...repoDigests].filter((one) => begun.has(one))) {
        await this.#remember(id, undefined);
        await this.#records.end(name);
      }
    }
  }

  /** Whether a pod may use an image without a pull. `logins` are only asked for where they matter. */
  async isAllowed(
    image: { readonly ref: string; readonly name: string; readonly repository: string },
    logins: () => Promise<readonly PullLogin[]>,
  ): Promise<boolean> {
    if (!this.isOn) return true;
    const record = this.#records.get(image.ref);
    const pulledByKubelet = record !== undefined || this.#records.isBegun(image.name);
    if (!mustVerify(image.repository, { ...this.#rules, pulledByKubelet })) return true;
    const free = judgeAccess(record, image.repository, []);
    if (free.kind === "allowed") return true;
    if (record?.accepted[image.repository] === undefined) return false;
    const access = judgeAccess(record, image.repository, await logins());
    if (access.kind === "pullRequired") return false;
    if (access.accepted !== undefined)
      await this.#remember(image.ref, { repository: image.repository, accepted: access.accepted });
    return true;
  }

  /** Does a pull, and remembers whose credentials it was made with. */
  async pulling<T extends { readonly id: string; readonly login: PullLogin | undefined }>(
    image: { readonly name: string; readonly repository: string },
    pull: () => Promise<T>,
  ): Promise<T> {
    if (!this.isOn) return await pull();
    await this.#records.begin(image.name);
    try {
      const pulled = await pull();
      await this.#remember(pulled.id, { repository: image.repository, accepted: acceptedBy(pulled.login) });
      return pulled;
    } finally {
      await this.#records.end(image.name);
    }
  }

  /** Forgets images that are gone. `sinceMs`: when they were listed. */
  async prune(present: ReadonlySet<string>, sinceMs: number): Promise<void> {
    await this.#records.prune(present, sinceMs);
  }

  async #remember(
    imageRef: string,
    more: { readonly repository: string; readonly accepted: AcceptedCredentials } | undefined,
  ): Promise<void> {
    const before = this.#records.get(imageRef);
    const accepted = { ...before?.accepted };
    if (more !== undefined) accepted[more.repository] = mergeAccepted(before?.accepted[more.repository], more.accepted);
    const isNew = before === undefined || JSON.stringify(accepted) !== JSON.stringify(before.accepted);
    if (isNew) await this.#records.put({ imageRef, updatedMs: this.#clock.now(), accepted });
  }
}

export interface AccessRules {
  readonly enabled: boolean;
  readonly policy: VerificationPolicy;
  readonly allowlist: readonly string[];
}
