/** What a claim has been given. */
import { isIP } from "node:net";
import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from "../../generated/types/resource-v1.ts";
import {
  checkDnsLabel,
  checkImmutable,
  checkRequired,
  checkRequiredChoice,
  type Findings,
} from "../../validation/checks.ts";
import { checkConditions } from "../../validation/conditions.ts";
import { checkNodeSelector } from "../core-v1/affinity-validation.ts";
import { checkCsiDriverName } from "../core-v1/remote-volume-validation.ts";
import { checkItems, checkKeyedItems, checkObject, checkOpaque, checkPoolName, most } from "./device-checks.ts";
import { checkRequestRef, checkRequestRefs, type RequestNames, requestNames } from "./device-claim-validation.ts";

const longest = { conditions: 8, dataBytes: 10_240, interfaceName: 256, hardwareAddress: 128, addresses: 16 };

interface DeviceId {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string | undefined;
}

/** One device, or a share of it, as one text. */
export const deviceId = ({ driver, pool, device, shareID }: DeviceId): string =>
  `${driver}/${pool}/${device}${shareID ? `/${shareID}` : ""}`;

/** The devices that an allocation is made of. */
export const allocatedDevices = (allocation: AllocationResult | undefined): ReadonlySet<string> =>
  new Set((allocation?.devices?.results ?? []).map(deviceId));

/** A report of what a claim has been given, and to whom. */
export function* checkClaimStatusUpdate(claim: ResourceClaim, old: ResourceClaim): Findings {
  const { status, metadata, spec } = claim;
  const { allocation, reservedFor = [], devices } = status;
  yield* checkKeyedItems("status.reservedFor", reservedFor, {
    limit: most.consumers,
    check: checkConsumer,
    key: ({ uid }) => uid ?? "",
  });
  const allocated = allocatedDevices(allocation);
  yield* checkKeyedItems("status.devices", devices, {
    limit: Number.POSITIVE_INFINITY,
    check: (path, device) => checkDeviceStatus(path, device, allocated),
    key: deviceId,
  });
  if (reservedFor.length > 0) {
    const field = "status.reservedFor";
    const before = old.status?.reservedFor ?? [];
    const joins = reservedFor.some((one) => !before.some((other) => jsonEqual(one, other)));
    if (allocation === undefined) {
      yield fieldError.forbidden(field, "may not be specified when `allocated` is not set");
    } else if (metadata.deletionTimestamp !== undefined && joins) {
      const message = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
      yield fieldError.forbidden(field, message);
    }
  }
  if (allocation === undefined) return;
  if (old.status?.allocation) yield* checkImmutable("status.allocation", allocation, old.status.allocation);
  else yield* checkAllocation("status.allocation", allocation, requestNames(spec?.devices ?? {}));
}

function* checkConsumer(field: string, consumer: ResourceClaimConsumerReference): Findings {
  for (const name of ["resource", "name", "uid"] as const) yield* checkRequired(`${field}.${name}`, consumer[name]);
}

function* checkAllocation(field: string, allocation: AllocationResult, names: RequestNames): Findings {
  const { devices = {}, nodeSelector } = allocation;
  yield* checkItems(`${field}.devices.results`, devices.results, {
    limit: most.results,
    check: (path, result) => checkResult(path, result, names),
  });
  yield* checkItems(`${field}.devices.config`, devices.config, {
    limit: 2 * most.config,
    *check(path, config) {
      yield* checkRequiredChoice(`${path}.source`, config.source, ["FromClaim", "FromClass"]);
      yield* checkRequestRefs(`${path}.requests`, config.requests, names);
      yield* checkOpaque(path, config.opaque);
    },
  });
  if (nodeSelector) yield* checkNodeSelector(`${field}.nodeSelector`, nodeSelector);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function* checkShare(field: string, id: string | undefined): Findings {
  if (id === undefined || uuid.test(id)) return;
  const message =
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";
  yield fieldError.invalid(field, id, message);
}

function* checkPlace(field: string, { driver = "", pool, device = "", shareID }: DeviceId): Findings {
  yield* checkCsiDriverName(`${field}.driver`, driver);
  yield* checkPoolName(`${field}.pool`, pool);
  yield* checkDnsLabel(`${field}.device`, device);
  yield* checkShare(`${field}.shareID`, shareID);
}

function* checkResult(field: string, result: DeviceRequestAllocationResult, names: RequestNames): Findings {
  yield* checkRequestRef(`${field}.request`, result.request ?? "", names);
  yield* checkPlace(field, result);
}

function* checkDeviceStatus(field: string, device: AllocatedDeviceStatus, allocated: ReadonlySet<string>): Findings {
  yield* checkPlace(field, device);
  const id = deviceId(device);
  if (!allocated.has(id)) yield fieldError.invalid(field, id, "must be an allocated device in the claim");
  const { conditions = [], data, networkData } = device;
  if (conditions.length > longest.conditions) {
    yield fieldError.tooMany(`${field}.conditions`, conditions.length, longest.conditions);
  }
  yield* checkConditions(`${field}.conditions`, conditions);
  if (data !== undefined) yield* checkObject(`${field}.data`, data, longest.dataBytes);
  if (networkData === undefined) return;
  for (const name of ["interfaceName", "hardwareAddress"] as const) {
    if ((networkData[name]?.length ?? 0) <= longest[name]) continue;
    yield fieldError.tooLong(`${field}.networkData.${name}`, longest[name]);
  }
  yield* checkKeyedItems(`${field}.networkData.ips`, networkData.ips, {
    limit: longest.addresses,
    check: checkInterfaceAddress,
    key: (address) => address,
  });
}

function* checkInterfaceAddress(field: string, address: string): Findings {
  const [ip = "", bits = "", ...more] = address.split("/");
  const most = isIP(ip) === 4 ? 32 : 128;
  if (isIP(ip) !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most) return;
  yield fieldError.invalid(
    field,
    address,
    "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)",
  );
}
