import type { Turns } from "@skiff/base";
import { type Clock, isAbort } from "@skiff/base";
import { type Runtime, rpcErrorText } from "@skiff/runtime";
import { credentialHash, type PullLogin } from "./keyring.ts";

/** What came of a pull: the image's id, how long the pull itself took, and which login the registry accepted, if one was needed. */
export interface Pulled {
  readonly id: string;
  readonly tookMs: number;
  readonly login: PullLogin | undefined;
}

/** Pulls images, a few at one time, with one login after the other. */
export class LoginPuller {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #pulls = new Map<string, Promise<Pulled>>();

  constructor(options: { readonly runtime: Runtime; readonly clock: Clock; readonly turns: Turns }) {
    this.#runtime = options.runtime;
    this.#clock = options.clock;
    this.#turns = options.turns;
  }

  /** Two pulls of one image at one time are one pull, unless they log in differently. */
  async pull(reference: string, logins: readonly PullLogin[], signal: AbortSignal): Promise<Pulled> {
    const key = [
      reference,
      ...logins.map(({ auth, source }) => `${credentialHash(auth)} ${JSON.stringify(source)}`),
    ].join();
    const running = this.#pulls.get(key);
    if (running !== undefined) return await running;
    const pull = this.#turns
      .take(async () => {
        const startMs = this.#clock.monotonic();
        const done = await this.#tryLogins(reference, logins, signal);
        return { ...done, tookMs: this.#clock.monotonic() - startMs };
      }, signal)
      .finally(() => this.#pulls.delete(key));
    this.#pulls.set(key, pull);
    return await pull;
  }

  async #tryLogins(reference: string, logins: readonly PullLogin[], signal: AbortSignal) {
    const failures = new Set<string>();
    for (const login of logins.length === 0 ? [undefined] : logins) {
      try {
        return { id: await this.#runtime.pullImage(reference, login?.auth, signal), login };
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        failures.add(rpcErrorText(error));
      }
    }
    const [only, ...more] = failures;
    throw new Error(more.length === 0 ? only : `[${[...failures].join(", ")}]`);
  }
}
