import {
  CSINodes,
  isAlreadyExists,
  isNotFound,
  type Node,
  Nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type StorageClass,
  StorageClasses,
  VolumeAttachments,
  VolumeAttributesClasses,
} from "@skiff/api";
import { describeError } from "@skiff/base";
import { type Caches, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { classOf, selectedNode } from "../persistent-volume/words.ts";
import type { Segments, StorageDriver, VolumeSource } from "../storage-driver.ts";
import { withFinalizer } from "../storage-protection/plan.ts";
import { findSource } from "./data-source.ts";
import { volumesOn, watchingReturns } from "./node-returns.ts";
import { openPlaces, placeOf, rotated, segmentsOfNode } from "./places.ts";
import {
  deletionSecret,
  endOf,
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
    reads: [PersistentVolumes, CSINodes],
    watches: [watching(StorageClasses, () => []), watchingReturns(claimsFor)],
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
        const isChosen = claim.metadata.annotations?.[selectedNode] !== undefined;
        const places = placesFor(claim, storageClass, { driver, source }, context);
        if (places === undefined) {
          await giveNodeUp(claim, context);
          throw new Error(`${driver.name} is not on the node that was chosen`);
        }
        const about = { volume: volumeNameFor(claim), claim };
        const wanted = wantedVolume(claim, storageClass, {
          secrets: await readSecret(secretRef("provisioner", storageClass.parameters ?? {}, about), context),
          mutableParameters: await attributesOf(claim, driver.name, context),
          ...(source === undefined ? {} : { source }),
          places,
        });
        const outcome = await driver.createVolume(wanted, signal);
        if (outcome.kind === "exhausted") {
          // The scheduler chooses again, by what the driver says of its room everywhere.
          if (isChosen) await giveNodeUp(claim, context);
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

/** Claims whose volumes were to be made on the node. */
const claimsFor = ({ metadata }: Node, { cached }: Caches) =>
  cached(PersistentVolumeClaims)
    .list()
    .filter((claim) => !claim.spec.volumeName && claim.metadata.annotations?.[selectedNode] === metadata.name)
    .map((claim) => claim.metadata);

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

/** Where the volume may be made; `undefined`: the node that was chosen is gone, or without the driver. */
function placesFor(
  { metadata }: PersistentVolumeClaim,
  storageClass: StorageClass,
  { driver, source }: { readonly driver: StorageDriver; readonly source: VolumeSource | undefined },
  { cached }: ReconcileContext,
): readonly Segments[] | undefined {
  // A copy is made where what it is a copy of lies, wherever the scheduler would have its pod: that follows the volume.
  const given = source === undefined ? undefined : (source.at ?? driver.home);
  if (given !== undefined) return [given];
  const selected = metadata.annotations?.[selectedNode];
  if (selected !== undefined) {
    const node = cached(Nodes).get(selected);
    const segments = node === undefined ? undefined : segmentsOfNode(node, driver.name);
    if (segments !== undefined) return [segments];
    return node === undefined || driver.home !== undefined ? undefined : [];
  }
  const { name, home } = driver;
  if (home === undefined) return [];
  const csiNodeOf = (node: string) => cached(CSINodes).get(node);
  const open = openPlaces({ name, home }, storageClass, cached(Nodes).list(), csiNodeOf);
  return rotated(metadata.name, open, home);
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
      watchingReturns(volumesOn),
    ],
    async reconcile(volume, context) {
      const { client, recorder, signal } = context;
      const end = endOf(volume, driver.name);
      if (end === "nothing") return done;
      if (end === "delete") {
        try {
          refuseAttached(volume, context);
          const { annotations = {} } = volume.metadata;
          const ref = { name: annotations[deletionSecret.name], namespace: annotations[deletionSecret.namespace] };
          const secrets = await readSecret(ref, context);
          await driver.deleteVolume(
            { volumeId: volume.spec.csi?.volumeHandle ?? "", secrets, at: placeOf(volume) },
            signal,
          );
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

function refuseAttached({ metadata }: PersistentVolume, { cached }: ReconcileContext): void {
  const attachment = cached(VolumeAttachments)
    .list()
    .find(({ spec }) => spec.source.persistentVolumeName === metadata.name);
  if (attachment === undefined) return;
  throw new Error(`persistentvolume ${metadata.name} is still attached to node ${attachment.spec.nodeName}`);
}
