import {
  type DynamicObject,
  isAlreadyExists,
  isNotFound,
  type Node,
  Nodes,
  PersistentVolumeClaims,
  PersistentVolumes,
} from "@skiff/api";
import { describeError, jsonEqual, timestamp } from "@skiff/base";
import { type Caches, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import type { StorageDriver, TakenSnapshot } from "../storage-driver.ts";
import { withFinalizer } from "../storage-protection/plan.ts";
import { watchingReturns } from "../volume-provisioner/node-returns.ts";
import { sizeText } from "../volume-provisioner/plan.ts";
import {
  contentFacts,
  snapshotClassFacts,
  snapshotFacts,
  VolumeSnapshotClasses,
  VolumeSnapshotContents,
  VolumeSnapshots,
} from "./snapshot-kinds.ts";
import { contentLabels, managingNode, snapshotPlace } from "./snapshot-source.ts";

const snapshotFinalizer = "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
const contentFinalizer = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";

const ignoreMissing = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error;
};

/**
 * Gives snapshots their contents, whatever driver takes them, and tells of them what their contents tell.
 * https://kubernetes.io/docs/concepts/storage/volume-snapshots/
 */
export const snapshotBinder: Loop = defineController<DynamicObject>({
  name: "snapshot-controller",
  component: "snapshot-controller",
  for: VolumeSnapshots,
  reads: [PersistentVolumeClaims, PersistentVolumes, Nodes],
  watches: [
    watching(VolumeSnapshotContents, (content) => [contentFacts(content).ref]),
    watching(VolumeSnapshotClasses, () => []),
  ],
  async reconcile(snapshot, context) {
    const { client, cached, signal } = context;
    const facts = snapshotFacts(snapshot);
    const contentName = facts.content ?? `snapcontent-${snapshot.metadata.uid}`;
    const content = cached(VolumeSnapshotContents).get(contentName);
    if (snapshot.metadata.deletionTimestamp !== undefined) {
      if (content !== undefined && contentFacts(content).deletionPolicy === "Delete") {
        await client.delete(VolumeSnapshotContents, { name: contentName }, { signal }).catch(ignoreMissing);
      }
      if (!snapshot.metadata.finalizers?.includes(snapshotFinalizer)) return done;
      const letGo = withFinalizer(snapshot, snapshotFinalizer, false);
      await client.update(VolumeSnapshots, letGo, { signal }).catch(ignoreMissing);
      return done;
    }
    try {
      if (content === undefined) await createContent(snapshot, contentName, context);
      else await tell(snapshot, content, context);
    } catch (error) {
      signal.throwIfAborted();
      const message = describeError(error);
      const event = { type: "Warning", reason: "SnapshotContentCreationFailed", message } as const;
      context.recorder.record(VolumeSnapshots, snapshot, event);
      throw error;
    }
    return done;
  },
});

async function createContent(snapshot: DynamicObject, contentName: string, context: ReconcileContext): Promise<void> {
  const { client, cached, recorder, signal } = context;
  const { claim, content, className } = snapshotFacts(snapshot);
  const { name, uid, resourceVersion, namespace = "" } = snapshot.metadata;
  if (content !== undefined) throw new Error("VolumeSnapshotContent is missing");
  if (claim === undefined) return;
  const held = cached(PersistentVolumeClaims).get(claim, namespace);
  const volume = cached(PersistentVolumes).get(held?.spec.volumeName ?? "");
  if (volume === undefined) throw new Error(`the source PVC ${claim} is not bound`);
  const { driver, volumeHandle } = volume.spec.csi ?? {};
  if (driver === undefined || volumeHandle === undefined) throw new Error(`the volume of ${claim} is no driver's`);
  const classes = cached(VolumeSnapshotClasses).list();
  const chosen =
    className === undefined
      ? classes.find((one) => snapshotClassFacts(one).isDefault && snapshotClassFacts(one).driver === driver)
      : classes.find((one) => one.metadata.name === className);
  if (chosen === undefined) throw new Error(`failed to get snapshot class ${className ?? "that is the default"}`);
  const { deletionPolicy } = snapshotClassFacts(chosen);
  if (snapshotClassFacts(chosen).driver !== driver)
    throw new Error(`the class ${chosen.metadata.name} is not for the driver ${driver}`);
  if (className === undefined || !snapshot.metadata.finalizers?.includes(snapshotFinalizer)) {
    const { spec } = snapshotFacts(snapshot);
    const classed = { ...snapshot, spec: { ...spec, volumeSnapshotClassName: chosen.metadata.name } };
    await client.update(VolumeSnapshots, withFinalizer(classed, snapshotFinalizer, true), { signal });
  }
  const made = {
    apiVersion: "snapshot.storage.k8s.io/v1",
    kind: "VolumeSnapshotContent",
    metadata: { name: contentName, finalizers: [contentFinalizer], labels: contentLabels(volume, context) },
    spec: {
      deletionPolicy,
      driver,
      source: { volumeHandle },
      sourceVolumeMode: volume.spec.volumeMode ?? "Filesystem",
      volumeSnapshotClassName: chosen.metadata.name,
      volumeSnapshotRef: {
        apiVersion: "snapshot.storage.k8s.io/v1",
        kind: "VolumeSnapshot",
        namespace,
        name,
        uid,
        resourceVersion,
      },
    },
  };
  await client.create(VolumeSnapshotContents, made, { signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const message = `Waiting for a snapshot ${namespace}/${name} to be created by the CSI driver.`;
  recorder.record(VolumeSnapshots, snapshot, { type: "Normal", reason: "CreatingSnapshot", message });
}

/** Copies what the content tells to the snapshot. */
async function tell(
  snapshot: DynamicObject,
  content: DynamicObject,
  { client, recorder, signal }: ReconcileContext,
): Promise<void> {
  const { status: from, ready } = contentFacts(content);
  const before = snapshotFacts(snapshot);
  const { creationTime, restoreSize } = from;
  const status = {
    ...before.status,
    boundVolumeSnapshotContentName: content.metadata.name,
    readyToUse: ready,
    ...(typeof creationTime === "number" ? { creationTime: timestamp(creationTime / 1_000_000) } : {}),
    ...(typeof restoreSize === "number" ? { restoreSize: sizeText(restoreSize) } : {}),
  };
  if (jsonEqual(before.status, status)) return;
  await client.updateStatus(VolumeSnapshots, { ...snapshot, status }, { signal });
  if (!ready || before.ready) return;
  const message = `Snapshot ${snapshot.metadata.namespace}/${snapshot.metadata.name} is ready to use.`;
  recorder.record(VolumeSnapshots, snapshot, { type: "Normal", reason: "SnapshotReady", message });
}

/** What has to wait while a node is down. */
const contentsOn = ({ metadata }: Node, { cached }: Caches) =>
  cached(VolumeSnapshotContents)
    .list()
    .filter((content) => managingNode(content) === metadata.name)
    .map((content) => content.metadata);

/** Takes the driver's snapshots that contents stand for, and deletes them with their contents. */
export const snapshotTaker = (driver: StorageDriver): Loop =>
  defineController<DynamicObject>({
    name: `snapshotter-${driver.name}`,
    component: `csi-snapshotter ${driver.name}`,
    for: VolumeSnapshotContents,
    watches: [watching(VolumeSnapshotClasses, () => []), watchingReturns(contentsOn)],
    async reconcile(content, context) {
      const { client, signal } = context;
      const facts = contentFacts(content);
      if (facts.driver !== driver.name) return done;
      if (content.metadata.deletionTimestamp !== undefined) {
        const handle = facts.handle ?? facts.preProvisioned;
        if (facts.deletionPolicy === "Delete" && handle !== undefined) {
          await driver.deleteSnapshot({ snapshotId: handle, at: snapshotPlace(content, context) }, signal);
        }
        if (!content.metadata.finalizers?.includes(contentFinalizer)) return done;
        const letGo = withFinalizer(content, contentFinalizer, false);
        await client.update(VolumeSnapshotContents, letGo, { signal }).catch(ignoreMissing);
        return done;
      }
      if (facts.ready) return done;
      const taken = await take(content, driver, context);
      const status = {
        ...facts.status,
        snapshotHandle: taken.snapshotId,
        creationTime: taken.createdMs * 1_000_000,
        readyToUse: taken.ready,
        restoreSize: taken.sizeBytes,
      };
      await client.updateStatus(VolumeSnapshotContents, { ...content, status }, { signal });
      return done;
    },
  });

async function take(content: DynamicObject, driver: StorageDriver, context: ReconcileContext): Promise<TakenSnapshot> {
  const { cached, signal } = context;
  const at = snapshotPlace(content, context);
  const { preProvisioned, volume = "", ref, className } = contentFacts(content);
  if (preProvisioned !== undefined) {
    const found = await driver.findSnapshot({ snapshotId: preProvisioned, at }, signal);
    if (found === undefined) throw new Error(`the snapshot ${preProvisioned} does not exist`);
    return found;
  }
  const snapshotClass = cached(VolumeSnapshotClasses).get(className ?? "");
  const parameters = snapshotClass === undefined ? {} : snapshotClassFacts(snapshotClass).parameters;
  return driver.createSnapshot({ name: `snapshot-${ref.uid ?? ""}`, volumeId: volume, at, parameters }, signal);
}
