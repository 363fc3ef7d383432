import { type DynamicObject, Nodes, type PersistentVolume } from "@skiff/api";
import type { Caches, ReconcileContext } from "@skiff/control-loop";
import type { Segments, VolumeSource } from "../storage-driver.ts";
import { isAt, placeOf, segmentsOfNode } from "../volume-provisioner/places.ts";
import { contentFacts, snapshotFacts, VolumeSnapshotContents, VolumeSnapshots } from "./snapshot-kinds.ts";

/** The driver's name of a snapshot that is ready to be read, and where it lies. Throws while there is none. */
export async function readySnapshot(
  ref: { readonly namespace: string; readonly name: string },
  driver: string,
  context: ReconcileContext,
): Promise<Omit<VolumeSource, "kind">> {
  const { client, signal } = context;
  const snapshot = snapshotFacts(await client.get(VolumeSnapshots, ref, { signal }));
  if (!snapshot.ready || snapshot.boundContent === undefined) {
    throw new Error(`snapshot ${ref.name} is not Ready`);
  }
  const object = await client.get(VolumeSnapshotContents, { name: snapshot.boundContent }, { signal });
  const content = contentFacts(object);
  if (content.driver !== driver) throw new Error(`snapshot ${ref.name} was not taken by ${driver}`);
  if (content.handle === undefined) throw new Error(`snapshot ${ref.name} has no handle yet`);
  return { id: content.handle, at: snapshotPlace(object, context) };
}

/** On contents: the node whose driver has the snapshot, as Kubernetes' snapshotter has it where each node has its own. */
const managedBy = "snapshot.storage.kubernetes.io/managed-by";

/** Labels for the content of a volume's snapshot: the volume may be gone when somebody asks where the snapshot is. */
export function contentLabels(volume: PersistentVolume, { cached }: Caches): Readonly<Record<string, string>> {
  const place = placeOf(volume);
  const node =
    place === undefined
      ? undefined
      : cached(Nodes)
          .list()
          .find((one) => isAt(one, place));
  return node === undefined ? {} : { [managedBy]: node.metadata.name };
}

export const managingNode = ({ metadata }: DynamicObject): string | undefined => metadata.labels?.[managedBy];

/** Where a content's snapshot lies. Throws where that is a node that is gone. */
export function snapshotPlace(content: DynamicObject, { cached }: Caches): Segments | undefined {
  const name = managingNode(content);
  if (name === undefined) return undefined;
  const node = cached(Nodes).get(name);
  if (node === undefined) throw new Error(`the snapshot is on node ${name}, which is gone`);
  return segmentsOfNode(node, contentFacts(content).driver);
}
