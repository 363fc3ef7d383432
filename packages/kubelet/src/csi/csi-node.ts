import { type CSINode, type CSINodeDriver, CSINodes, isAlreadyExists, isConflict, isNotFound, Nodes } from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject, jsonEqual, parseJson } from "@skiff/base";
import type { Client } from "@skiff/client";
import type { NodeGetInfoResponse } from "@skiff/csi";

interface Announcing {
  readonly nodeName: string;
  readonly client: Client;
}

const nodeIdAnnotation = "csi.volume.kubernetes.io/nodeid";
const attempts = 5;

/** Tells of a driver in the node's CSINode, and of its topology in the node's labels. */
export async function announceDriver(
  { name, about }: { readonly name: string; readonly about: NodeGetInfoResponse },
  on: Announcing,
  signal: AbortSignal,
): Promise<void> {
  const { client, nodeName } = on;
  const segments = about.accessibleTopology?.segments ?? {};
  const node = await client.get(Nodes, { name: nodeName }, { signal });
  const ids = { ...parseIds(node.metadata.annotations?.[nodeIdAnnotation]), [name]: about.nodeId };
  const annotations = { [nodeIdAnnotation]: JSON.stringify(ids) };
  const patch = { metadata: { labels: segments, annotations } };
  await client.patch(Nodes, { name: nodeName }, patch, { type: "merge", signal });
  const driver: CSINodeDriver = {
    name,
    nodeID: about.nodeId,
    topologyKeys: Object.keys(segments).sort(),
    ...(about.maxVolumesPerNode > 0 ? { allocatable: { count: about.maxVolumesPerNode } } : {}),
  };
  await change(on, node.metadata.uid, (drivers) => [...drivers.filter((one) => one.name !== name), driver], signal);
}

/** The driver is not on this node any more. */
export async function withdrawDriver(name: string, on: Announcing, signal: AbortSignal): Promise<void> {
  const { client, nodeName } = on;
  const node = await client.get(Nodes, { name: nodeName }, { signal });
  const { [name]: _gone, ...ids } = parseIds(node.metadata.annotations?.[nodeIdAnnotation]);
  const left = Object.keys(ids).length === 0 ? null : JSON.stringify(ids);
  const patch = { metadata: { annotations: { [nodeIdAnnotation]: left } } };
  await client.patch(Nodes, { name: nodeName }, patch, { type: "merge", signal });
  await change(on, node.metadata.uid, (drivers) => drivers.filter((one) => one.name !== name), signal);
}

function parseIds(text: string | undefined): JsonObject {
  try {
    const value = parseJson(text ?? "{}");
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

async function change(
  { client, nodeName }: Announcing,
  uid: string,
  changed: (drivers: readonly CSINodeDriver[]) => CSINodeDriver[],
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await client.get(CSINodes, { name: nodeName }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      const drivers = changed(found?.spec.drivers ?? []);
      if (found === undefined) {
        const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }];
        await client.create(CSINodes, { metadata: { name: nodeName, ownerReferences }, spec: { drivers } }, { signal });
      } else if (!jsonEqual(drivers, found.spec.drivers)) {
        const updated: CSINode = { ...deepCopy(found), spec: { drivers } };
        await client.update(CSINodes, updated, { signal });
      }
      return;
    } catch (error) {
      if (attempt === attempts || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}
