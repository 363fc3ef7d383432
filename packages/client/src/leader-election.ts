import { isAlreadyExists, isConflict, isNotFound, type Lease, Leases } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, microTimestamp, type Random } from "@skiff/base";
import type { Client } from "./client.ts";

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The Lease that candidates compete for. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Who this candidate is; different for each process. */
  readonly identity: string;
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for this long stops leading. */
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Runs `lead` while this candidate holds the Lease. Its signal is aborted when the Lease is lost; then the candidate
 * competes again. Returns when `options.signal` is aborted or `lead` has ended by itself; the Lease is given back.
 * Other candidates' clocks do not matter: a Lease counts as lapsed when it has not changed for its duration, as seen here.
 */
export async function whileLeading(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const candidate = new Candidate(options);
  const { clock, random, signal } = options;
  const retryMs = options.retryMs ?? 2_000;
  while (!signal.aborted) {
    if (!(await candidate.tryHold())) {
      await clock.sleep(retryMs * (1 + 0.2 * random.next()), signal).catch(() => {});
      continue;
    }
    const lost = new AbortController();
    const ended = new AbortController();
    const leading = lead(AbortSignal.any([signal, lost.signal])).finally(() => ended.abort());
    await candidate.keep(AbortSignal.any([signal, ended.signal]));
    lost.abort();
    await leading.catch((error: unknown) => {
      if (!isAbort(error, lost.signal) && !signal.aborted) throw error;
    });
    if (ended.signal.aborted && candidate.holds) {
      await candidate.release();
      return;
    }
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  #seen: { readonly resourceVersion: string; readonly atMs: number } | undefined;
  #lease: Lease | undefined;
  holds = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** Takes the Lease or renews it. False when somebody else has it or the API cannot be asked. */
  async tryHold(signal = this.#options.signal): Promise<boolean> {
    const { client, lease, logger } = this.#options;
    try {
      this.#lease = await client.get(Leases, lease, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (this.#lease !== undefined && !this.#free(this.#lease)) return this.#answer(false);
      this.#lease = await this.#write(this.#lease, signal);
      return this.#answer(true);
    } catch (error) {
      if (isAbort(error, signal)) return false;
      if (!isConflict(error) && !isAlreadyExists(error)) {
        logger.warn(`cannot renew the lease ${lease.name}: ${describeError(error)}`);
      }
      return false;
    }
  }

  /** Renews until the signal is aborted or renewal has failed for too long. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let renewedMs = clock.monotonic();
    while (!signal.aborted && clock.monotonic() - renewedMs < (this.#options.renewDeadlineMs ?? 10_000)) {
      await clock.sleep(this.#options.retryMs ?? 2_000, signal).catch(() => {});
      if (signal.aborted) return;
      if (await this.tryHold(signal)) renewedMs = clock.monotonic();
      else if (!this.holds) return;
    }
    if (!signal.aborted) this.holds = false;
  }

  /** Others need not wait until the Lease lapses. */
  async release(): Promise<void> {
    const { client, clock } = this.#options;
    const lease = this.#lease;
    if (lease === undefined || !this.holds) return;
    this.holds = false;
    const spec = {
      ...lease.spec,
      holderIdentity: "",
      leaseDurationSeconds: 1,
      renewTime: microTimestamp(clock.now()),
    };
    const late = new AbortController();
    using _timer = clock.after(2_000, () => late.abort());
    await client.update(Leases, { ...lease, spec }, { signal: late.signal }).catch(() => {});
  }

  #answer(holds: boolean): boolean {
    this.holds = holds;
    return holds;
  }

  #free({ metadata, spec }: Lease): boolean {
    const { clock, identity, leaseDurationMs } = this.#options;
    const nowMs = clock.monotonic();
    if (this.#seen?.resourceVersion !== metadata.resourceVersion) {
      this.#seen = { resourceVersion: metadata.resourceVersion, atMs: nowMs };
    }
    if (!spec.holderIdentity || spec.holderIdentity === identity) return true;
    return nowMs - this.#seen.atMs > (leaseDurationMs ?? 15_000);
  }

  #write(old: Lease | undefined, signal: AbortSignal): Promise<Lease> {
    const { client, clock, identity, lease, leaseDurationMs } = this.#options;
    const now = microTimestamp(clock.now());
    const same = old?.spec.holderIdentity === identity;
    const spec = {
      ...old?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: (leaseDurationMs ?? 15_000) / 1000,
      acquireTime: same ? (old.spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.spec.leaseTransitions ?? 0) + (same || old === undefined ? 0 : 1),
    };
    if (old === undefined) return client.create(Leases, { metadata: { ...lease }, spec }, { signal });
    return client.update(Leases, { ...old, spec }, { signal });
  }
}
