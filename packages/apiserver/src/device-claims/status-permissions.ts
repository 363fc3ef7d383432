/**
 * What changes of a claim's status take beside the right to write it: who gives devices away is somebody else than the drivers
 * that tell of them. https://kubernetes.io/docs/concepts/security/hardening-guide/dynamic-resource-allocation/
 */
import {
  type AllocatedDeviceStatus,
  allocatedDevices,
  type DynamicResourceClaim,
  deviceId,
  dnsSubdomainName,
  type FieldError,
  fieldError,
  type StatusError,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { nodeOfAccount } from "../authentication/service-account-tokens.ts";
import { type AccessAuthorizer, type AccessRequest, forbidden } from "../authorization/access.ts";
import type { ResourceRequest, UserInfo } from "../contracts.ts";

type Status = DynamicResourceClaim["status"];

/** A change of a claim's status, and who asked for it by which request. */
export interface StatusChange {
  readonly now: Status;
  readonly before: Status;
  readonly user: UserInfo;
  readonly request: ResourceRequest;
}

/** What the user may not change: the allocation and its users, and the reports of each driver. */
export async function unpermittedChanges(
  change: StatusChange,
  authorizer: AccessAuthorizer,
): Promise<readonly FieldError[]> {
  return [...(await unpermittedBinding(change, authorizer)), ...(await unpermittedReports(change, authorizer))];
}

async function unpermittedBinding(
  { now, before, user, request }: StatusChange,
  authorizer: AccessAuthorizer,
): Promise<readonly FieldError[]> {
  const same =
    jsonEqual(now?.allocation, before?.allocation) && jsonEqual(now?.reservedFor ?? [], before?.reservedFor ?? []);
  if (same) return [];
  // One right for the claims of all namespaces.
  const asked = { ...request, subresource: "binding", namespace: undefined, name: undefined };
  const refusal = await refusalOf({ user, request: asked }, authorizer);
  if (refusal === undefined) return [];
  const needs = `resource="resourceclaims/binding", verb="${request.verb}" permission`;
  const what = "changing status.allocation or status.reservedFor";
  return [fieldError.forbidden("status", `${what} requires ${needs}: ${refusal.message}`)];
}

async function unpermittedReports(change: StatusChange, authorizer: AccessAuthorizer): Promise<readonly FieldError[]> {
  const { now, user, request } = change;
  const anywhere = `arbitrary-node:${request.verb}`;
  const node = nodeOf(now);
  const isThere = node !== undefined && nodeOfAccount(user) === node && dnsSubdomainName(node, false).length === 0;
  const verbs = isThere ? [`associated-node:${request.verb}`, anywhere] : [anywhere];
  const found: FieldError[] = [];
  for (const name of [...changedDrivers(change)].sort()) {
    let first: StatusError | undefined;
    for (const verb of verbs) {
      const refusal = await refusalOf({ user, request: { ...request, verb, subresource: "driver", name } }, authorizer);
      if (refusal === undefined) {
        first = undefined;
        break;
      }
      first ??= refusal;
    }
    if (first === undefined) continue;
    const needs = `resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission`;
    found.push(fieldError.forbidden("status.devices", `changing status.devices requires ${needs}: ${first.message}`));
  }
  return found;
}

async function refusalOf(access: AccessRequest, authorizer: AccessAuthorizer): Promise<StatusError | undefined> {
  const { kind, reason } = await authorizer.authorize(access);
  return kind === "allowed" ? undefined : forbidden(access, reason);
}

/** Whose reports come, go or are others. Those that end with their allocation are a matter of the allocation. */
function changedDrivers({ now, before }: Pick<StatusChange, "now" | "before">): ReadonlySet<string> {
  const old = byDevice(before);
  const drivers = new Set<string>();
  for (const [id, report] of byDevice(now)) {
    if (!jsonEqual(report, old.get(id))) drivers.add(report.driver);
    old.delete(id);
  }
  const had = allocatedDevices(before?.allocation);
  const has = allocatedDevices(now?.allocation);
  for (const [id, { driver }] of old) if (has.has(id) || !had.has(id)) drivers.add(driver);
  return drivers;
}

const byDevice = (status: Status): Map<string, AllocatedDeviceStatus> =>
  new Map((status?.devices ?? []).map((report) => [deviceId(report), report]));

/** The one node that an allocation is for, as the scheduler says it. */
function nodeOf(status: Status): string | undefined {
  const [term, ...others] = status?.allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  if (term === undefined || others.length > 0 || (term.matchExpressions ?? []).length > 0) return undefined;
  const [field, ...more] = term.matchFields ?? [];
  if (more.length > 0 || field?.key !== "metadata.name" || field.operator !== "In") return undefined;
  return field.values?.length === 1 ? field.values[0] : undefined;
}
