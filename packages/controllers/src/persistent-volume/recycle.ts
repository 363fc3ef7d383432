import { isNotFound, type New, type PersistentVolume, type Pod, Pods } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";

const namespace = "default";
const prefix = "recycler-for-";
const minimumSeconds = 60;

export type Recycling =
  | { readonly kind: "runs" }
  | { readonly kind: "recycled" }
  | { readonly kind: "failed"; readonly message: string };

/** The volume that a recycler pod is for. */
export function recycledVolume({ metadata }: Pod): readonly { name: string }[] {
  if (metadata.namespace !== namespace || !metadata.name.startsWith(prefix)) return [];
  return [{ name: metadata.name.slice(prefix.length) }];
}

/** Empties a volume by a pod that has it mounted: starts the pod, or tells what came of it and takes it away. */
export async function recycle(
  volume: PersistentVolume,
  image: string,
  { client, signal }: ReconcileContext,
): Promise<Recycling> {
  const ref = { namespace, name: `${prefix}${volume.metadata.name}` };
  const pod = await client.get(Pods, ref, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (pod === undefined) {
    await client.create(Pods, recyclerPod(volume, image, ref), { signal });
    return { kind: "runs" };
  }
  const phase = pod.status?.phase;
  if (phase !== "Succeeded" && phase !== "Failed") return { kind: "runs" };
  await client.delete(Pods, ref, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid }, signal });
  if (phase === "Succeeded") return { kind: "recycled" };
  return { kind: "failed", message: pod.status?.message ?? "pod failed, pod.Status.Message unknown." };
}

function recyclerPod(
  { spec }: PersistentVolume,
  image: string,
  metadata: { name: string; namespace: string },
): New<Pod> {
  const script = 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1';
  const source = spec.hostPath === undefined ? { nfs: spec.nfs } : { hostPath: spec.hostPath };
  return {
    metadata,
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: minimumSeconds,
      volumes: [{ name: "vol", ...source }],
      containers: [
        {
          name: "pv-recycler",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["/bin/sh"],
          args: ["-c", script],
          volumeMounts: [{ name: "vol", mountPath: "/scrub" }],
        },
      ],
    },
  };
}
