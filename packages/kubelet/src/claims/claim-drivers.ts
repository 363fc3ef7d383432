import { ResourceSlices } from "@skiff/api";
import { Background, type Clock, describeError, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";
import { GrpcStatus } from "@skiff/grpc";
import { PluginClient } from "../plugins/plugin-client.ts";
import type { PluginCandidate, PluginHandler } from "../plugins/plugin-registry.ts";
import type { ClaimHealth } from "./claim-health.ts";
import { watchHealth } from "./health-messages.ts";
import { claimServices, type DriverClaim, type PreparedClaim, type UnpreparedClaim } from "./messages.ts";

export interface ClaimDriversOptions {
  readonly nodeName: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes what drivers say of their devices' health; absent: they are not asked. */
  readonly health: ClaimHealth | undefined;
}

interface Connection {
  readonly driver: string;
  readonly client: PluginClient;
  readonly service: (typeof claimServices)[number];
}

/** So long a driver may be away before its devices are taken from the cluster: time enough to start another pod of it. */
const wipeMs = 30_000;
const callMs = 45_000;
const healthRetryMs = 5_000;

/** The drivers of this node that make devices of claims ready. */
export class ClaimDrivers implements PluginHandler, AsyncDisposable {
  readonly type = "DRAPlugin";
  readonly #options: ClaimDriversOptions;
  readonly #background: Background;
  /** By their sockets, the newest last: a driver may have two while it is replaced. */
  readonly #connections = new Map<string, Connection>();

  constructor(options: ClaimDriversOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
    this.#background.run("slices of drivers that are gone", (signal) => this.#wipe(undefined, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
    for (const { client } of this.#connections.values()) client[Symbol.dispose]();
  }

  refusal({ supportedVersions }: PluginCandidate): string | undefined {
    if (claimServices.some(({ name }) => supportedVersions.includes(name))) return undefined;
    const known = claimServices.map(({ name }) => name).join(", ");
    return `none of the versions supported by kubelet (${known}) are provided by the plugin: ${supportedVersions.join(", ")}`;
  }

  async register({ name, endpoint, supportedVersions }: PluginCandidate): Promise<void> {
    const service = claimServices.find((one) => supportedVersions.includes(one.name));
    if (service === undefined) return;
    this.#connections.get(endpoint)?.client[Symbol.dispose]();
    this.#connections.delete(endpoint);
    const connection = { driver: name, service, client: new PluginClient(endpoint, this.#options.clock) };
    this.#connections.set(endpoint, connection);
    const { health } = this.#options;
    if (health === undefined) return;
    this.#background.run(`health of devices of ${name}`, (signal) => this.#watchHealth(connection, health, signal));
  }

  async forget({ name, endpoint }: PluginCandidate): Promise<void> {
    this.#connections.get(endpoint)?.client[Symbol.dispose]();
    this.#connections.delete(endpoint);
    if (!this.has(name)) this.#background.run(`slices of ${name}`, (signal) => this.#wipe(name, signal));
  }

  /** Follows a driver's reports for as long as it is there. */
  async #watchHealth(connection: Connection, health: ClaimHealth, signal: AbortSignal): Promise<void> {
    const { driver, client } = connection;
    const isCurrent = () => [...this.#connections.values()].includes(connection);
    while (isCurrent()) {
      try {
        for await (const { devices } of client.stream(watchHealth, {}, signal)) health.take(driver, devices);
      } catch (error) {
        signal.throwIfAborted();
        // Most drivers do not tell: there is nothing to wait for.
        if (error instanceof GrpcStatus && error.code === "UNIMPLEMENTED") return;
      }
      // What was said is to hold over a restart of the kubelet.
      signal.throwIfAborted();
      // Another one of the same name may speak for the devices by now.
      if (!this.has(driver) || this.#connection(driver) === connection) health.clear(driver);
      if (isCurrent()) await this.#options.clock.sleep(healthRetryMs, signal);
    }
  }

  has(driver: string): boolean {
    return [...this.#connections.values()].some((one) => one.driver === driver);
  }

  /** Throws where the driver is not there. */
  #connection(driver: string): Connection {
    const found = [...this.#connections.values()].findLast((one) => one.driver === driver);
    if (found === undefined) throw new Error(`DRA driver ${driver} is not registered`);
    return found;
  }

  /** Has a driver make the devices of claims ready; what it says of each, by uid. */
  async prepare(
    driver: string,
    claims: readonly DriverClaim[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, PreparedClaim>>> {
    const { client, service } = this.#connection(driver);
    const named = told("NodePrepareResources");
    const answer = await named(client.call(service.prepare, { claims }, { signal, deadlineMs: callMs }));
    return checked("NodePrepareResources", claims, answer.claims);
  }

  /** The opposite of it. */
  async unprepare(
    driver: string,
    claims: readonly DriverClaim[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, UnpreparedClaim>>> {
    const { client, service } = this.#connection(driver);
    const named = told("NodeUnprepareResources");
    const answer = await named(client.call(service.unprepare, { claims }, { signal, deadlineMs: callMs }));
    return checked("NodeUnprepareResources", claims, answer.claims);
  }

  /** Takes the slices of a driver (or of all) from the cluster that is still not there after its time. */
  async #wipe(driver: string | undefined, signal: AbortSignal): Promise<void> {
    const { clock, client, nodeName, logger } = this.#options;
    await clock.sleep(wipeMs, signal);
    for (let retryMs = 1000; ; retryMs = Math.min(60_000, retryMs * 2)) {
      try {
        const fieldSelector = `spec.nodeName=${nodeName}${driver === undefined ? "" : `,spec.driver=${driver}`}`;
        const { items } = await client.list(ResourceSlices, { fieldSelector, signal });
        for (const slice of items)
          if (!this.has(slice.spec.driver)) await client.delete(ResourceSlices, slice.metadata, { signal });
        return;
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`slices of drivers that are gone: ${describeError(error)}`);
        await clock.sleep(retryMs, signal);
      }
    }
  }
}

const told =
  (call: string) =>
  <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw new Error(`${call}: ${describeError(error)}`);
    });

/** What was answered, if it speaks of all claims that were asked about and of no others, and well. */
function checked<T extends { readonly error: string }>(
  call: string,
  claims: readonly DriverClaim[],
  answers: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  for (const [uid, { error }] of Object.entries(answers)) {
    const claim = claims.find((one) => one.uid === uid);
    if (claim === undefined) throw new Error(`${call} returned result for unknown claim UID ${uid}`);
    if (error !== "") throw new Error(`${call} failed for ResourceClaim ${claim.name}: ${error}`);
  }
  const missing = claims.length - Object.keys(answers).length;
  if (missing !== 0) throw new Error(`${call} skipped ${missing} ResourceClaims`);
  return answers;
}
