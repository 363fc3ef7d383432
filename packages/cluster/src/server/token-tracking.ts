import { ConfigMaps, isAlreadyExists, isConflict, isNotFound, Secrets } from "@skiff/api";
import type { TokenUse } from "@skiff/apiserver";
import { aborted, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";

const lastUsed = "kubernetes.io/legacy-token-last-used";
/** Says since when uses are noted down. */
const since = { namespace: "kube-system", name: "kube-apiserver-legacy-service-account-token-tracking" };
const retryMs = 5_000;
/** More at a time than this are let go: whoever goes on using a token is noted down another time. */
const mostWaiting = 1_000;

/**
 * Notes down on Secrets with tokens of service accounts when these were last used: what nobody uses can be taken away.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-service-account-token-tracking-controller
 */
export class TokenTracking {
  /** Uses that are to be noted down, by the uid of their Secret. */
  readonly #waiting = new Map<string, TokenUse>();
  #wake = Promise.withResolvers<void>();

  note(use: TokenUse): void {
    if (this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(use.uid, use);
    this.#wake.resolve();
  }

  /** Until the signal is aborted. */
  async run(
    on: { readonly client: Client; readonly clock: Clock; readonly logger: Logger },
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#begin(on, signal);
        for (;;) {
          await Promise.race([this.#wake.promise, aborted(signal)]);
          signal.throwIfAborted();
          this.#wake = Promise.withResolvers();
          for (const [uid, use] of this.#waiting) {
            await this.#write(use, on.client, signal);
            this.#waiting.delete(uid);
          }
        }
      } catch (error) {
        if (isAbort(error, signal)) return;
        on.logger.warn(`the use of tokens is not noted down: ${describeError(error)}`);
        this.#wake.resolve();
        await on.clock.sleep(retryMs, signal).catch(() => {});
      }
    }
  }

  async #begin({ client, clock }: { readonly client: Client; readonly clock: Clock }, signal: AbortSignal) {
    const data = { since: new Date(clock.now()).toISOString().slice(0, 10) };
    try {
      await client.create(ConfigMaps, { metadata: { ...since }, data }, { signal });
      return;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const found = await client.get(ConfigMaps, since, { signal });
    if (/^\d{4}-\d{2}-\d{2}$/.test(found.data?.since ?? "")) return;
    await client.patch(ConfigMaps, since, { data }, { type: "merge", signal });
  }

  async #write({ namespace, name, uid, day }: TokenUse, client: Client, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { uid, labels: { [lastUsed]: day } } };
    await client.patch(Secrets, { namespace, name }, patch, { type: "merge", signal }).catch((error: unknown) => {
      // It is gone, or another by now.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
  }
}
