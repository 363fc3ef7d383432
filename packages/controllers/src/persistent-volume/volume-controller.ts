import {
  isNotFound,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
} from "@skiff/api";
import { describeError } from "@skiff/base";
import { defineController, done, type Loop, type Outcome, type ReconcileContext, watching } from "@skiff/control-loop";
import { setVolumePhase } from "./bind.ts";
import { recycle, recycledVolume } from "./recycle.ts";
import { planVolume, type Reclaim, unbound } from "./volume-plan.ts";

/** What reclaiming needs of the machine. */
export interface ReclaimSettings {
  /** Removes a directory below `/tmp` with all in it. Volumes with such paths stay, as failed, where absent. */
  readonly removePath?: ((path: string, signal: AbortSignal) => Promise<void>) | undefined;
  /** An image with a shell, for pods that empty volumes. */
  readonly recyclerImage?: string | undefined;
}

const defaultRecyclerImage = "registry.k8s.io/build-image/debian-base:bookworm-v1.0.4";

/** Keeps volumes' phases, and reclaims those whose claim has gone. */
export const volumeBinder = (settings: ReclaimSettings): Loop =>
  defineController<PersistentVolume>({
    name: "persistent-volume-binder",
    component: "persistentvolume-controller",
    for: PersistentVolumes,
    watches: [
      watching(PersistentVolumeClaims, ({ metadata, spec }, { cached }) => {
        const volumes = cached(PersistentVolumes);
        volumes.addIndex(claimIndex, (volume) => [volume.spec.claimRef?.uid ?? ""]);
        const held = volumes.byIndex(claimIndex, metadata.uid).map((volume) => volume.metadata);
        return spec.volumeName ? [...held, { name: spec.volumeName }] : held;
      }),
      watching(Pods, (pod) => recycledVolume(pod)),
    ],
    async reconcile(volume, context) {
      const claim = await claimOf(volume, context);
      const plan = planVolume(volume, claim);
      switch (plan.kind) {
        case "phase":
          await setVolumePhase(volume, { phase: plan.phase }, context);
          return done;
        case "reclaim":
          return reclaim(await released(volume, context), plan.by, settings, context);
        case "unbind":
          await unbind(volume, context);
          return done;
        case "nothing":
          return done;
      }
    },
  });

const claimIndex = "uid of the claim";

/** The claim that a volume is bound to. The cache's word that it is gone is not enough: data are deleted on it. */
async function claimOf(
  { spec }: PersistentVolume,
  { cached, client, signal }: ReconcileContext,
): Promise<PersistentVolumeClaim | undefined> {
  const { namespace, name, uid } = spec.claimRef ?? {};
  if (!uid || !namespace || !name) return undefined;
  const known = cached(PersistentVolumeClaims).get(name, namespace);
  if (known?.metadata.uid === uid) return known;
  const read = await client.get(PersistentVolumeClaims, { namespace, name }, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return read?.metadata.uid === uid ? read : undefined;
}

const released = (volume: PersistentVolume, context: ReconcileContext): Promise<PersistentVolume> =>
  volume.status?.phase === "Failed" ? Promise.resolve(volume) : setVolumePhase(volume, { phase: "Released" }, context);

async function unbind(volume: PersistentVolume, context: ReconcileContext): Promise<void> {
  const { client, signal } = context;
  const written = await client.update(PersistentVolumes, unbound(volume), { signal });
  await setVolumePhase(written, { phase: "Available" }, context);
}

async function fail(
  volume: PersistentVolume,
  { reason, message }: { readonly reason: string; readonly message: string },
  context: ReconcileContext,
): Promise<void> {
  if (volume.status?.phase === "Failed") return;
  const failed = await setVolumePhase(volume, { phase: "Failed", message }, context);
  context.recorder.record(PersistentVolumes, failed, { type: "Warning", reason, message });
}

async function reclaim(
  volume: PersistentVolume,
  by: Reclaim,
  settings: ReclaimSettings,
  context: ReconcileContext,
): Promise<Outcome> {
  const { client, signal, recorder } = context;
  if (volume.metadata.deletionTimestamp !== undefined) return done;
  switch (by.kind) {
    case "retain":
    case "delete elsewhere":
      return done;
    case "fail":
      await fail(volume, by, context);
      return done;
    case "delete path": {
      const failure = await remove(by.path, settings, signal);
      if (failure !== undefined) await fail(volume, { reason: "VolumeFailedDelete", message: failure }, context);
      else await client.delete(PersistentVolumes, volume.metadata, { signal });
      return done;
    }
    case "recycle": {
      const progress = await recycle(volume, settings.recyclerImage ?? defaultRecyclerImage, context);
      if (progress.kind === "failed") {
        await fail(volume, { reason: "VolumeFailedRecycle", message: `Recycle failed: ${progress.message}` }, context);
      } else if (progress.kind === "recycled") {
        const event = { type: "Normal", reason: "VolumeRecycled", message: "Volume recycled" } as const;
        recorder.record(PersistentVolumes, volume, event);
        await unbind(volume, context);
      }
      return done;
    }
  }
}

/** What went wrong, if anything did. */
async function remove(path: string, { removePath }: ReclaimSettings, signal: AbortSignal): Promise<string | undefined> {
  if (removePath === undefined) return `the directory ${path} cannot be reached from here`;
  try {
    await removePath(path, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return describeError(error);
  }
}
