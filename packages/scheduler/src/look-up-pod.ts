import { isNotFound, type Pod, Pods } from "@skiff/api";
import { isAbort } from "@skiff/base";
import type { Client } from "@skiff/client";

/** How often the API is asked what came of a binding whose answer was lost. */
const lookUps = 5;

/** The pod as the API has it, asked for a few times; `undefined`: it does not tell. */
export async function lookUpPod({ metadata }: Pod, client: Client, signal: AbortSignal): Promise<Pod | undefined> {
  for (let attempt = 0; attempt < lookUps; attempt++) {
    try {
      const now = await client.get(Pods, metadata, { signal });
      return now.metadata.uid === metadata.uid ? now : undefined;
    } catch (error) {
      if (isAbort(error, signal) || isNotFound(error)) return undefined;
    }
  }
  return undefined;
}
