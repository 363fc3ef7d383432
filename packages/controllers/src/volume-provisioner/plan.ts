import {
  asUnits,
  type New,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type SecretReference,
  type StorageClass,
} from "@skiff/api";
import { provisionedBy, selectedNode, storageProvisioner, storageProvisionerBeta } from "../persistent-volume/words.ts";
import type { CreatedVolume, Segments, WantedVolume } from "../storage-driver.ts";
import { driverParameters, type SecretUse, secretRef } from "./secret-refs.ts";

/** Keeps a volume's object until what it stands for has been deleted. */
export const provisionerFinalizer = "external-provisioner.volume.kubernetes.io/finalizer";
/** On volumes: the secret that the driver needs to delete them. */
export const deletionSecret = {
  name: "volume.kubernetes.io/provisioner-deletion-secret-name",
  namespace: "volume.kubernetes.io/provisioner-deletion-secret-namespace",
} as const;

/** The name of a claim's volume. */
export const volumeNameFor = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;

/** Whether a volume is to be made for the claim, by this driver, now. */
export function wantsVolume(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  driver: string,
): storageClass is StorageClass {
  const said = claim.metadata.annotations ?? {};
  if ((said[storageProvisioner] ?? said[storageProvisionerBeta]) !== driver) return false;
  if (claim.spec.volumeName || claim.metadata.deletionTimestamp !== undefined) return false;
  if (storageClass?.provisioner !== driver) return false;
  return storageClass.volumeBindingMode !== "WaitForFirstConsumer" || said[selectedNode] !== undefined;
}

/** What the driver is asked for. */
export function wantedVolume(
  claim: PersistentVolumeClaim,
  { parameters = {}, mountOptions = [] }: StorageClass,
  more: Pick<WantedVolume, "source" | "places" | "secrets" | "mutableParameters">,
): WantedVolume {
  const fsType = parameters["csi.storage.k8s.io/fstype"];
  return {
    name: volumeNameFor(claim),
    sizeBytes: Math.ceil(asUnits(claim.spec.resources?.requests?.storage)),
    mode: claim.spec.volumeMode === "Block" ? "Block" : "Filesystem",
    accessModes: claim.spec.accessModes ?? [],
    parameters: driverParameters(parameters),
    mountOptions,
    ...(fsType === undefined ? {} : { fsType }),
    ...more,
  };
}

/** The volume's object, bound to its claim from the beginning. */
export function provisionedVolume(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  {
    driver,
    wanted,
    created,
  }: { readonly driver: string; readonly wanted: WantedVolume; readonly created: CreatedVolume },
): New<PersistentVolume> {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const { reclaimPolicy = "Delete", mountOptions = [], parameters = {} } = storageClass;
  const secret = (use: SecretUse) => secretRef(use, parameters, { volume: wanted.name, claim });
  const deletion = secret("provisioner");
  const attributesClass = claim.spec.volumeAttributesClassName ?? "";
  return {
    metadata: {
      name: wanted.name,
      annotations: {
        [provisionedBy]: driver,
        [deletionSecret.name]: deletion?.name ?? "",
        [deletionSecret.namespace]: deletion?.namespace ?? "",
      },
      finalizers: reclaimPolicy === "Delete" ? [provisionerFinalizer] : [],
    },
    spec: {
      accessModes: [...wanted.accessModes],
      capacity: { storage: sizeText(created.sizeBytes || wanted.sizeBytes) },
      claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion },
      csi: {
        driver,
        volumeHandle: created.volumeId,
        ...(Object.keys(created.context).length === 0 ? {} : { volumeAttributes: { ...created.context } }),
        ...(wanted.fsType === undefined ? {} : { fsType: wanted.fsType }),
        ...named("controllerPublishSecretRef", secret("controller-publish")),
        ...named("nodeStageSecretRef", secret("node-stage")),
        ...named("nodePublishSecretRef", secret("node-publish")),
        ...named("controllerExpandSecretRef", secret("controller-expand")),
        ...named("nodeExpandSecretRef", secret("node-expand")),
      },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass.metadata.name,
      volumeMode: wanted.mode,
      ...(mountOptions.length === 0 ? {} : { mountOptions: [...mountOptions] }),
      ...(attributesClass === "" ? {} : { volumeAttributesClassName: attributesClass }),
      ...affinityTo(created.topology),
    },
  };
}

const named = <Name extends string>(name: Name, ref: SecretReference | undefined) =>
  ref === undefined ? {} : { [name]: ref };

const affinityTo = (topology: readonly Segments[]): Partial<PersistentVolume["spec"]> => {
  if (topology.length === 0) return {};
  const nodeSelectorTerms = topology.map((segments) => ({
    matchExpressions: Object.entries(segments)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, operator: "In", values: [value] })),
  }));
  return { nodeAffinity: { required: { nodeSelectorTerms } } };
};

const units = [
  [1024 ** 4, "Ti"],
  [1024 ** 3, "Gi"],
  [1024 ** 2, "Mi"],
  [1024, "Ki"],
] as const;

/** Bytes as a quantity, in the largest unit that tells them exactly. */
export function sizeText(bytes: number): string {
  const [size, unit] = units.find(([one]) => bytes >= one && bytes % one === 0) ?? [1, ""];
  return `${bytes / size}${unit}`;
}

/** What is to be done about a volume that this driver made. */
export type VolumeEnd = "nothing" | "delete" | "let go";

export function endOf({ metadata, spec, status }: PersistentVolume, driver: string): VolumeEnd {
  if (metadata.annotations?.[provisionedBy] !== driver || spec.csi?.driver !== driver) return "nothing";
  const held = metadata.finalizers?.includes(provisionerFinalizer) ?? false;
  if (spec.persistentVolumeReclaimPolicy !== "Delete") return held ? "let go" : "nothing";
  const released = status?.phase === "Released" || status?.phase === "Failed";
  if (!released) return "nothing";
  return metadata.deletionTimestamp === undefined || held ? "delete" : "nothing";
}
