import { EndpointSlices, isNotFound, namespaceTerminates } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import type { EndpointSlicesPlan } from "./packing.ts";

/** Performs a plan; what is new first: an endpoint that moves is in two slices for a moment, never in none. */
export async function writeSlices(plan: EndpointSlicesPlan, { client, signal }: ReconcileContext): Promise<void> {
  for (const slice of plan.create) {
    await client.create(EndpointSlices, slice, { signal }).catch((error: unknown) => {
      // Nothing can be made in a namespace that goes: the Service goes as well.
      if (!namespaceTerminates(error)) throw error;
    });
  }
  for (const slice of plan.update) await client.update(EndpointSlices, slice, { signal });
  for (const { metadata } of plan.remove) {
    await client.delete(EndpointSlices, metadata, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
