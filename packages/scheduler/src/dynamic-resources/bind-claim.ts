import {
  type AllocationResult,
  type DynamicResourceClaim,
  isConflict,
  isNotFound,
  type Pod,
  ResourceClaims,
} from "@skiff/api";
import { describeError } from "@skiff/base";
import type { BindContext } from "../framework.ts";

/** Holds a claim for as long as it has devices. */
export const claimFinalizer = "resource.kubernetes.io/delete-protection";
const attempts = 5;
const retryMs = 1_000;

/** The claim as the API has it, asked until it answers; `undefined`: it is gone. */
export async function claimNow(
  { metadata }: DynamicResourceClaim,
  { client, clock, signal }: Pick<BindContext, "client" | "clock" | "signal">,
): Promise<DynamicResourceClaim | undefined> {
  for (;;) {
    try {
      const now = await client.get(ResourceClaims, metadata, { signal });
      return now.metadata.uid === metadata.uid ? now : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      signal.throwIfAborted();
      await clock.sleep(retryMs, signal);
    }
  }
}

const named = async <T>(what: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (isConflict(error)) throw error;
    throw new Error(`${what}: ${describeError(error)}`);
  }
};

/** Writes into a claim which devices it has, where they are new, and that the pod uses it. Gives the claim as it is then. */
export async function bindClaim(
  claim: DynamicResourceClaim,
  { pod, allocation }: { readonly pod: Pod; readonly allocation: AllocationResult | undefined },
  { client, signal }: Pick<BindContext, "client" | "signal">,
): Promise<DynamicResourceClaim> {
  const { namespace, name } = claim.metadata;
  const who = `${namespace}/${name}`;
  let current = claim;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(current);
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
      current = await named(
        `get updated claim ${who} after conflict`,
        client.get(ResourceClaims, { namespace, name }, { signal }),
      );
    }
  }

  async function write(now: DynamicResourceClaim): Promise<DynamicResourceClaim> {
    if (now.metadata.deletionTimestamp !== undefined) throw new Error(`claim ${who} got deleted in the meantime`);
    let held = now;
    if (allocation !== undefined) {
      if (now.status?.allocation !== undefined) throw new Error(`claim ${who} got allocated elsewhere in the meantime`);
      const finalizers = now.metadata.finalizers ?? [];
      if (!finalizers.includes(claimFinalizer)) {
        const protectedClaim = { ...now, metadata: { ...now.metadata, finalizers: [...finalizers, claimFinalizer] } };
        held = await named(`add finalizer to claim ${who}`, client.update(ResourceClaims, protectedClaim, { signal }));
      }
    }
    const user = { resource: "pods", name: pod.metadata.name, uid: pod.metadata.uid };
    const status = {
      ...held.status,
      ...(allocation === undefined ? {} : { allocation }),
      reservedFor: [...(held.status?.reservedFor ?? []), user],
    };
    const what = allocation === undefined ? "reservation" : "allocation and reservation";
    return await named(
      `add ${what} to claim ${who}`,
      client.updateStatus(ResourceClaims, { ...held, status }, { signal }),
    );
  }
}
