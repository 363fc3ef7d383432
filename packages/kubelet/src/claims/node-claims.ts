import { join } from "node:path";
import {
  type Container,
  type DynamicResourceClaim,
  type Pod,
  ResourceClaims,
  type ResourceHealth,
  type ResourceStatus,
} from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";
import { type ContainerGrant, noGrant } from "../grants/container-grant.ts";
import type { ClaimDrivers } from "./claim-drivers.ts";
import type { ClaimHealth } from "./claim-health.ts";
import { type ClaimRecord, type ReadyDevice, readClaimRecords, writeClaimRecords } from "./claim-records.ts";
import { claimNamed, claimNames, claimRefusal, containerClaims, hasClaims } from "./claims-of-pod.ts";
import type { DriverClaim, PreparedClaim } from "./messages.ts";

export interface NodeClaimsOptions {
  /** The kubelet's folder. */
  readonly rootFolder: string;
  readonly drivers: ClaimDrivers;
  readonly client: Client;
  readonly logger: Logger;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/**
 * The claims that pods of this node use: made ready by their drivers before the first of these pods runs, and given up when
 * the last has ended. What was begun outlives the kubelet.
 */
export class NodeClaims {
  readonly #options: NodeClaimsOptions;
  /** By namespace and name. */
  readonly #records = new Map<string, ClaimRecord>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: NodeClaimsOptions) {
    this.#options = options;
  }

  static async load(options: NodeClaimsOptions): Promise<NodeClaims> {
    const claims = new NodeClaims(options);
    try {
      for (const record of await readClaimRecords(claims.#file))
        claims.#records.set(keyOf(record.namespace, record.name), record);
    } catch (error) {
      options.logger.error(`claims that pods had are not known any more: ${describeError(error)}`);
    }
    return claims;
  }

  get #file(): string {
    return join(this.#options.rootFolder, "dra_manager_state");
  }

  get records(): readonly ClaimRecord[] {
    return [...this.#records.values()];
  }

  /** Pods that have claims here. */
  holders(): ReadonlySet<string> {
    return new Set(this.records.flatMap(({ podUids }) => podUids));
  }

  /** Has all claims of the pod made ready. Throws where that fails; it may be tried again. */
  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    if (!hasClaims(pod)) return;
    await this.#inTurn(async () => {
      try {
        await this.#prepare(pod, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw new Error(`prepare dynamic resources: ${describeError(error)}`);
      }
    });
  }

  /** Gives the claims of a pod up that has ended. Throws where a driver does not; it has to be tried again. */
  async unprepare(podUid: string, signal: AbortSignal): Promise<void> {
    if (!this.holders().has(podUid)) return;
    await this.#inTurn(async () => {
      try {
        await this.#unprepare(podUid, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw new Error(`unprepare dynamic resources: ${describeError(error)}`);
      }
    });
  }

  /** By which names the container gets its devices. */
  grant(pod: Pod, container: Container): ContainerGrant {
    const cdiDevices = containerClaims(pod, container).flatMap(({ name, request }) => {
      const record = this.#records.get(keyOf(pod.metadata.namespace, name));
      if (record === undefined)
        throw new Error(`unable to get claim info for ResourceClaim ${name} in namespace ${pod.metadata.namespace}`);
      return devicesFor(record, request).flatMap((device) => device.cdiDevices);
    });
    return cdiDevices.length === 0 ? noGrant : { ...noGrant, cdiDevices: [...new Set(cdiDevices)] };
  }

  /** How the devices are that the container has by claim, for its status. */
  health(pod: Pod, container: Container, health: ClaimHealth): readonly ResourceStatus[] {
    return (container.resources?.claims ?? []).flatMap(({ name, request = "" }) => {
      const record = this.#records.get(keyOf(pod.metadata.namespace, claimNamed(pod, name) ?? ""));
      const resources = new Map<string, ResourceHealth>();
      for (const { driver, pool, device, cdiDevices } of record === undefined ? [] : devicesFor(record, request)) {
        const resourceID = cdiDevices[0] ?? `${driver}/${pool}/${device}`;
        const { health: word, message } = health.of(driver, pool, device);
        const told = { resourceID, health: word, ...(message === "" ? {} : { message }) };
        if (!resources.has(resourceID)) resources.set(resourceID, told);
      }
      const named = request === "" ? `claim:${name}` : `claim:${name}/${request}`;
      return resources.size === 0 ? [] : [{ name: named, resources: [...resources.values()] }];
    });
  }

  /** Pods that have devices of a driver. */
  usersOf(driver: string): ReadonlySet<string> {
    return new Set(this.records.flatMap(({ drivers, podUids }) => (drivers.includes(driver) ? podUids : [])));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      await work();
    } finally {
      resolve();
    }
  }

  async #prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    const { drivers } = this.#options;
    const claims = await this.#checked(pod, signal);
    for (const claim of claims) this.#note(claim, pod);
    await this.#save();
    const wanting = claims.filter((claim) => this.#recordOf(claim)?.prepared !== true);
    const ready = new Map<string, ReadyDevice[]>();
    for (const driver of new Set(wanting.flatMap(driversOf))) {
      const batch = wanting
        .filter((claim) => driversOf(claim).includes(driver))
        .map(({ metadata }) => driverClaim(metadata));
      const answers = await drivers.prepare(driver, batch, signal);
      for (const [uid, answer] of Object.entries(answers))
        ready.set(uid, [...(ready.get(uid) ?? []), ...readyDevices(driver, answer)]);
    }
    for (const claim of wanting) {
      const record = this.#recordOf(claim);
      const devices = ready.get(claim.metadata.uid) ?? [];
      if (record !== undefined) this.#put({ ...record, prepared: true, devices });
    }
    if (wanting.length > 0) await this.#save();
  }

  /** The claims, each of which the pod may use and all of whose drivers are there. Nothing is noted before that. */
  async #checked(pod: Pod, signal: AbortSignal): Promise<readonly DynamicResourceClaim[]> {
    const { client, drivers } = this.#options;
    const { namespace } = pod.metadata;
    const claims: DynamicResourceClaim[] = [];
    for (const podClaim of claimNames(pod)) {
      const { name } = podClaim;
      const claim = await client.get(ResourceClaims, { namespace, name }, { signal }).catch((error: unknown) => {
        throw new Error(`fetch ResourceClaim ${name}: ${describeError(error)}`);
      });
      const refusal = claimRefusal(pod, podClaim, claim);
      if (refusal !== undefined) throw new Error(refusal);
      const missing = driversOf(claim).find((driver) => !drivers.has(driver));
      if (missing !== undefined) throw new Error(`DRA driver ${missing} is not registered`);
      const old = this.#records.get(keyOf(namespace, name));
      if (old !== undefined && old.uid !== claim.metadata.uid) {
        throw new Error(
          `old ResourceClaim with same name ${name} and different UID ${old.uid} still exists (previous pod force-deleted?!)`,
        );
      }
      claims.push(claim);
    }
    return claims;
  }

  #note(claim: DynamicResourceClaim, { metadata }: Pod): void {
    const { uid, namespace, name } = claim.metadata;
    const record = this.#recordOf(claim);
    const podUids = [...new Set([...(record?.podUids ?? []), metadata.uid])];
    const fresh = { uid, namespace, name, drivers: driversOf(claim), prepared: false, devices: [] };
    this.#put({ ...(record ?? fresh), podUids });
  }

  async #unprepare(podUid: string, signal: AbortSignal): Promise<void> {
    const { drivers } = this.#options;
    const mine = this.records.filter(({ podUids }) => podUids.includes(podUid));
    const shared = mine.filter(({ podUids }) => podUids.length > 1);
    for (const record of shared) this.#put({ ...record, podUids: record.podUids.filter((uid) => uid !== podUid) });
    const last = mine.filter((record) => !shared.includes(record));
    for (const driver of new Set(last.flatMap((record) => record.drivers))) {
      const batch = last.filter((record) => record.drivers.includes(driver)).map(driverClaim);
      await drivers.unprepare(driver, batch, signal);
    }
    for (const { namespace, name } of last) this.#records.delete(keyOf(namespace, name));
    await this.#save();
  }

  #recordOf({ metadata }: DynamicResourceClaim): ClaimRecord | undefined {
    return this.#records.get(keyOf(metadata.namespace, metadata.name));
  }

  #put(record: ClaimRecord): void {
    this.#records.set(keyOf(record.namespace, record.name), record);
  }

  async #save(): Promise<void> {
    await writeClaimRecords(this.#file, this.records);
  }
}

/** Whether a request is the one, or an alternative of it: `gpu` means `gpu/large` as well. */
const isOf = (request: string, wanted: string): boolean => request === wanted || request.startsWith(`${wanted}/`);

/** Devices of a claim that are for a request of it; for all where that is empty. */
const devicesFor = ({ devices }: ClaimRecord, request: string): readonly ReadyDevice[] =>
  devices.filter(
    ({ requests }) => request === "" || requests.length === 0 || requests.some((one) => isOf(one, request)),
  );

const driversOf = ({ status }: DynamicResourceClaim): readonly string[] => [
  ...new Set((status?.allocation?.devices?.results ?? []).map(({ driver }) => driver)),
];

const driverClaim = ({ namespace, uid, name }: DriverClaim): DriverClaim => ({ namespace, uid, name });

const readyDevices = (driver: string, { devices }: PreparedClaim): readonly ReadyDevice[] =>
  devices.map(({ poolName, deviceName, requestNames, cdiDeviceIds }) => ({
    driver,
    pool: poolName,
    device: deviceName,
    requests: requestNames,
    cdiDevices: cdiDeviceIds,
  }));
