import {
  isAlreadyExists,
  isNotFound,
  Nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  StorageClasses,
  VolumeAttachments,
  VolumeAttributesClasses,
} from "@skiff/api";
import { describeError } from "@skiff/base";
import { defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { classOf, selectedNode } from "../persistent-volume/words.ts";
import type { Segments, StorageDriver } from "../storage-driver.ts";
import { withFinalizer } from "../storage-protection/plan.ts";
import { findSource } from "./data-source.ts";
import {
  deletionSecret,
  endOf,
  isAt,
  provisionedVolume,
  provisionerFinalizer,
  volumeNameFor,
  wantedVolume,
  wantsVolume,
} from "./plan.ts";
import { readSecret } from "./read-secret.ts";
import { secretRef } from "./secret-refs.ts";

/**
 * Makes volumes for claims whose class names the driver.
 * https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
 */
export const volumeProvisioner = (driver: StorageDriver): Loop =>
  defineController<PersistentVolumeClaim>({
    name: `volume-provisioner-${driver.name}`,
    component: driver.name,
    for: PersistentVolumeClaims,
    reads: [PersistentVolumes, Nodes],
    watches: [watching(StorageClasses, () => [])],
    async reconcile(claim, context) {
      const { client, cached, recorder, signal } = context;
      const storageClass = cached(StorageClasses).get(classOf(claim));
      if (!wantsVolume(claim, storageClass, driver.name)) return done;
      if (cached(PersistentVolumes).get(volumeNameFor(claim)) !== undefined) return done;
      const { namespace, name } = claim.metadata;
      const tell = (type: "Normal" | "Warning", reason: string, message: string) =>
        recorder.record(PersistentVolumeClaims, claim, { type, reason, message });
      tell("Normal", "Provisioning", `External provisioner is provisioning volume for claim "${namespace}/${name}"`);
      try {
        const source = await findSource(claim, driver.name, context);
        const node = nodeOf(claim, driver.name, context);
        const about = { volume: volumeNameFor(claim), claim };
        const wanted = wantedVolume(claim, storageClass, {
          secrets: await readSecret(secretRef("provisioner", storageClass.parameters ?? {}, about), context),
          mutableParameters: await attributesOf(claim, driver.name, context),
          ...(source === undefined ? {} : { source }),
          ...(node === undefined ? {} : { node }),
        });
        const outcome = await driver.createVolume(wanted, signal);
        if (outcome.kind === "exhausted") {
          // The scheduler chooses again, by what the driver says of its room everywhere.
          if (node !== undefined) await giveNodeUp(claim, context);
          throw new Error(outcome.message);
        }
        const made = { driver: driver.name, wanted, created: outcome.volume };
        const volume = provisionedVolume(claim, storageClass, made);
        await client.create(PersistentVolumes, volume, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
        tell("Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${wanted.name}`);
        return done;
      } catch (error) {
        signal.throwIfAborted();
        const className = storageClass.metadata.name;
        const message = `failed to provision volume with StorageClass "${className}": ${describeError(error)}`;
        tell("Warning", "ProvisioningFailed", message);
        throw error;
      }
    },
  });

async function giveNodeUp({ metadata }: PersistentVolumeClaim, { client, signal }: ReconcileContext): Promise<void> {
  const patch = { metadata: { resourceVersion: metadata.resourceVersion, annotations: { [selectedNode]: null } } };
  await client.patch(PersistentVolumeClaims, metadata, patch, { type: "merge", signal });
}

/** What the claim's VolumeAttributesClass asks for. */
async function attributesOf(
  { spec }: PersistentVolumeClaim,
  driver: string,
  { client, signal }: ReconcileContext,
): Promise<Readonly<Record<string, string>>> {
  const name = spec.volumeAttributesClassName ?? "";
  if (name === "") return {};
  const { driverName, parameters = {} } = await client.get(VolumeAttributesClasses, { name }, { signal });
  if (driverName === driver) return parameters;
  throw new Error(`VolumeAttributesClass ${name} is for the driver ${driverName}, not for ${driver}`);
}

/** The labels of the node that the scheduler chose, as far as the driver's topology is about them. */
function nodeOf(
  { metadata }: PersistentVolumeClaim,
  driver: string,
  { cached }: ReconcileContext,
): Segments | undefined {
  const name = metadata.annotations?.[selectedNode];
  const labels = name === undefined ? undefined : cached(Nodes).get(name)?.metadata.labels;
  const own = Object.entries(labels ?? {}).filter(([key]) => key.startsWith(`topology.${driver}/`));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Deletes the driver's volumes that nobody has any more, as their reclaim policy says. */
export const volumeDeleter = (driver: StorageDriver): Loop =>
  defineController<PersistentVolume>({
    name: `volume-deleter-${driver.name}`,
    component: driver.name,
    for: PersistentVolumes,
    watches: [
      watching(VolumeAttachments, ({ spec }) =>
        spec.source.persistentVolumeName ? [{ name: spec.source.persistentVolumeName }] : [],
      ),
    ],
    async reconcile(volume, context) {
      const { client, recorder, signal } = context;
      const end = endOf(volume, driver.name);
      if (end === "nothing") return done;
      if (end === "delete") {
        try {
          refuseAttached(volume, context);
          refuseElsewhere(volume, driver);
          const { annotations = {} } = volume.metadata;
          const ref = { name: annotations[deletionSecret.name], namespace: annotations[deletionSecret.namespace] };
          const secrets = await readSecret(ref, context);
          await driver.deleteVolume({ volumeId: volume.spec.csi?.volumeHandle ?? "", secrets }, signal);
        } catch (error) {
          signal.throwIfAborted();
          const message = describeError(error);
          recorder.record(PersistentVolumes, volume, { type: "Warning", reason: "VolumeFailedDelete", message });
          throw error;
        }
        await client.delete(PersistentVolumes, volume.metadata, { signal }).catch(ignoreMissing);
      }
      const { name } = volume.metadata;
      const newest = await client.get(PersistentVolumes, { name }, { signal }).catch(ignoreMissing);
      if (newest?.metadata.uid !== volume.metadata.uid) return done;
      if (!newest.metadata.finalizers?.includes(provisionerFinalizer)) return done;
      const letGo = withFinalizer(newest, provisionerFinalizer, false);
      await client.update(PersistentVolumes, letGo, { signal }).catch(ignoreMissing);
      return done;
    },
  });

function ignoreMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** Another node's driver knows nothing of the volume, and would say that it is gone. */
function refuseElsewhere(volume: PersistentVolume, { place }: StorageDriver): void {
  if (isAt(volume, place)) return;
  throw new Error(
    `persistentvolume ${volume.metadata.name} lies on another server's node, which deletes it while it leads`,
  );
}

function refuseAttached({ metadata }: PersistentVolume, { cached }: ReconcileContext): void {
  const attachment = cached(VolumeAttachments)
    .list()
    .find(({ spec }) => spec.source.persistentVolumeName === metadata.name);
  if (attachment === undefined) return;
  throw new Error(`persistentvolume ${metadata.name} is still attached to node ${attachment.spec.nodeName}`);
}
