import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Pod, Pods, Secrets, ServiceAccounts } from "@skiff/api";
import type { Clock, Logger } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import type { Processes } from "@skiff/host";
import type { ReferencedObjects } from "../volumes/referenced-objects.ts";
import type { ServiceAccountTokens } from "../volumes/service-account-token.ts";
import { type AccountShown, CredentialPlugin } from "./credential-plugin.ts";
import type { CredentialProviders, TokenAttributes } from "./credential-provider-config.ts";
import { parseDockerConfig, secretLogins } from "./docker-config.ts";
import type { ImageName } from "./image-name.ts";
import { type Credentials, loginsFor, type PullLogin, repositoryOf } from "./keyring.ts";

const tokenSeconds = 3600;

/**
 * The logins that there are for a pod's images: in its pull secrets, in the node's own `config.json`, and from the programs
 * that the node's operator named.
 */
export class PodCredentials {
  readonly #options: PodCredentialsOptions;
  readonly #plugins: readonly CredentialPlugin[];

  constructor(options: PodCredentialsOptions) {
    this.#options = options;
    const { processes, providers, clock, logger } = options;
    this.#plugins =
      processes === undefined || providers === undefined
        ? []
        : providers.providers.map(
            (provider) => new CredentialPlugin({ provider, folder: providers.folder, processes, clock, logger }),
          );
  }

  /** The logins to try for an image, in order; `secrets` are what `secrets()` gave. */
  async find(
    pod: Pod,
    { image, secrets }: { readonly image: ImageName; readonly secrets: readonly Credentials[] },
    signal: AbortSignal,
  ): Promise<readonly PullLogin[]> {
    const node = loginsFor(image, await this.#ofNode());
    const asked = this.#plugins.map(async (plugin) => {
      const show = (stop: AbortSignal) => this.#account(pod, plugin.provider.token, stop);
      return await plugin.credentials(repositoryOf(image), show, signal);
    });
    return [...loginsFor(image, secrets), ...node, ...loginsFor(image, (await Promise.all(asked)).flat())];
  }

  /** What the pod's pull secrets hold. Where it names some that do not exist that is said, and the pull is tried all the same. */
  async secrets(pod: Pod, signal: AbortSignal): Promise<readonly Credentials[]> {
    const { namespace, uid } = pod.metadata;
    const names = [...new Set((pod.spec.imagePullSecrets ?? []).map(({ name = "" }) => name))].filter(Boolean);
    const { objects, recorder } = this.#options;
    const found = await Promise.all(
      names.map(async (name) => ({
        name,
        secret: await objects.get(Secrets, { namespace, name }, { owner: uid, signal }),
      })),
    );
    const missing = found.flatMap(({ name, secret }) => (secret === undefined ? [name] : []));
    if (missing.length > 0) {
      const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
      recorder.record(Pods, pod, { type: "Warning", reason: "FailedToRetrieveImagePullSecret", message });
    }
    return found.flatMap(({ name, secret }) =>
      secret === undefined
        ? []
        : [{ source: { kind: "secret", uid: secret.metadata.uid, namespace, name }, logins: secretLogins(secret) }],
    );
  }

  async #ofNode(): Promise<readonly Credentials[]> {
    const text = await readFile(join(this.#options.rootFolder, "config.json"), "utf8").catch(() => undefined);
    return text === undefined ? [] : [{ source: { kind: "node" }, logins: parseDockerConfig(text) }];
  }

  async #account(
    pod: Pod,
    wanted: TokenAttributes | undefined,
    signal: AbortSignal,
  ): Promise<AccountShown | "none" | undefined> {
    const { namespace } = pod.metadata;
    const name = pod.spec.serviceAccountName ?? "";
    if (wanted === undefined) return "none";
    if (name === "") return wanted.requireServiceAccount ? undefined : "none";
    const account = await this.#options.client.get(ServiceAccounts, { namespace, name }, { signal });
    const has = account.metadata.annotations ?? {};
    if (wanted.requiredAnnotations.some((key) => has[key] === undefined)) return undefined;
    const keys = [...wanted.requiredAnnotations, ...wanted.optionalAnnotations];
    const annotations = Object.fromEntries(
      keys.flatMap((key): [string, string][] => {
        const value = has[key];
        return value === undefined ? [] : [[key, value]];
      }),
    );
    const request = { audience: wanted.audience, expirationSeconds: tokenSeconds };
    const { text } = await this.#options.tokens.get(pod, request, signal);
    return { uid: account.metadata.uid, namespace, name, token: text, annotations };
  }
}

export interface PodCredentialsOptions {
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly client: Client;
  readonly recorder: EventRecorder;
  /** Holds `config.json`, the logins that every pod of the node may use. */
  readonly rootFolder: string;
  readonly providers: CredentialProviders | undefined;
  /** Runs the providers' programs; absent: they are not asked. */
  readonly processes: Processes | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
