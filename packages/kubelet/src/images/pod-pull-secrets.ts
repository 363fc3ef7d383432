import { type Pod, type Secret, Secrets } from "@skiff/api";
import type { ReferencedObjects } from "../volumes/referenced-objects.ts";

/** The pull secrets that a pod names, those of them that there are. */
export async function podPullSecrets(
  objects: ReferencedObjects,
  pod: Pod,
  signal: AbortSignal,
): Promise<readonly Secret[]> {
  const { namespace, uid } = pod.metadata;
  const found = await Promise.all(
    (pod.spec.imagePullSecrets ?? []).map(({ name = "" }) =>
      objects.get(Secrets, { namespace, name }, { owner: uid, signal }),
    ),
  );
  return found.filter((secret): secret is Secret => secret !== undefined);
}
