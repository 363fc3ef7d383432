import type { CSINode, CSIStorageCapacity, New, Node, StorageClass } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { Segments } from "../storage-driver.ts";

/** Where the objects are, and how they are told from those of others. */
export const capacityNamespace = "kube-system";
const managedBy = "csi.storage.k8s.io/managed-by";
const driverName = "csi.storage.k8s.io/drivername";
const ours = (driver: string) => ({ [driverName]: driver, [managedBy]: "skiff" });

/** The parts of the cluster that the driver tells apart, each once: labels of the nodes that it is on. */
export function segmentsOf(
  driver: string,
  csiNodes: readonly CSINode[],
  nodeOf: (name: string) => Node | undefined,
): readonly Segments[] {
  const found = new Map<string, Segments>();
  for (const { metadata, spec } of csiNodes) {
    const keys = spec.drivers.find(({ name }) => name === driver)?.topologyKeys ?? [];
    const labels = nodeOf(metadata.name)?.metadata.labels ?? {};
    const own = keys.filter((key) => labels[key] !== undefined).sort();
    if (keys.length === 0 || own.length < keys.length) continue;
    const segments = Object.fromEntries(own.map((key) => [key, labels[key] ?? ""]));
    found.set(JSON.stringify(segments), segments);
  }
  return [...found.values()];
}

/** Only where the first pod of a claim decides on the place does anybody ask for capacity. */
export const needsCapacity = ({ provisioner, volumeBindingMode }: StorageClass, driver: string): boolean =>
  provisioner === driver && volumeBindingMode === "WaitForFirstConsumer";

/** The objects of a class that are the driver's from here. */
export const capacitiesOf = (
  all: readonly CSIStorageCapacity[],
  driver: string,
  storageClassName: string,
): readonly CSIStorageCapacity[] =>
  all.filter(
    ({ metadata, storageClassName: name }) =>
      name === storageClassName &&
      Object.entries(ours(driver)).every(([key, value]) => metadata.labels?.[key] === value),
  );

export const isAbout = ({ nodeTopology }: CSIStorageCapacity, segments: Segments): boolean =>
  jsonEqual(nodeTopology?.matchLabels ?? {}, segments);

export const newCapacity = (
  driver: string,
  storageClassName: string,
  { segments, capacity }: { readonly segments: Segments; readonly capacity: string },
): New<CSIStorageCapacity> => ({
  metadata: { generateName: "csisc-", namespace: capacityNamespace, labels: ours(driver) },
  storageClassName,
  nodeTopology: { matchLabels: { ...segments } },
  capacity,
});
