import { type AllocationResult, type DynamicResourceClaim, type Pod, ResourceClaims } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { BindContext } from "../framework.ts";
import { bindClaim, claimNow } from "./bind-claim.ts";
import { whenDevicesReady } from "./device-readiness.ts";
import { deviceStateOf } from "./device-state.ts";
import { isReservedFor, podClaims } from "./pod-claims.ts";
import { bindSpecialClaim, type SpecialClaim } from "./special-claim.ts";

/** Devices that were chosen for a pod: by the uid of the claim, and the claim that is to be made for it. */
export interface ChosenDevices {
  readonly results: ReadonlyMap<string, AllocationResult>;
  readonly special?: SpecialClaim | undefined;
}

export const noDevices: ChosenDevices = { results: new Map() };

type Context = BindContext & { readonly bindingTimeoutMs: number };

/** Writes all claims of the pod, and waits until their devices are ready. */
export async function bindClaims(pod: Pod, { results, special }: ChosenDevices, context: Context): Promise<void> {
  const state = deviceStateOf(context.cluster);
  const found = podClaims(pod, (name, namespace) => state.claim(name, namespace));
  if (found.kind === "waiting") throw new Error(found.reason);
  for (const claim of found.claims) {
    const { uid } = claim.metadata;
    let now = claim;
    if (!isReservedFor(claim, pod)) {
      try {
        now = await bindClaim(claim, { pod, allocation: dated(results.get(uid), context) }, context);
      } catch (error) {
        context.signal.throwIfAborted();
        // The answer may have been lost, and the claim have its devices.
        const there = await claimNow(claim, context);
        if (there !== undefined) state.end(uid, there);
        throw error;
      }
      state.end(uid, now);
    }
    try {
      await whenDevicesReady(now, context);
    } catch (error) {
      context.signal.throwIfAborted();
      await release(now, context);
      throw error;
    }
  }
  const { uid } = special?.claim.metadata ?? {};
  const allocation = uid === undefined ? undefined : dated(results.get(uid), context);
  if (special === undefined || uid === undefined || allocation === undefined) return;
  await bindSpecialClaim(pod, special, {
    ...context,
    allocation,
    written: (claim) => state.end(uid, claim),
    whenReady: (claim) => whenDevicesReady(claim, context),
  });
}

/** Devices that have to be made ready are given as of a time. */
function dated(chosen: AllocationResult | undefined, { clock }: Context): AllocationResult | undefined {
  const waits = chosen?.devices?.results?.some((one) => one.bindingConditions !== undefined) === true;
  return waits ? { ...chosen, allocationTimestamp: timestamp(clock.now()) } : chosen;
}

/** Takes its devices from a claim that nobody can use them of. */
export async function release(
  claim: DynamicResourceClaim,
  { client, signal }: Pick<BindContext, "client" | "signal">,
): Promise<void> {
  const current = await client.get(ResourceClaims, claim.metadata, { signal });
  const { allocation: _, reservedFor: __, devices: ___, ...status } = current.status ?? {};
  await client.updateStatus(ResourceClaims, { ...current, status }, { signal });
}
