import { createHash } from "node:crypto";
import { type CSIDriver, CSIDrivers, isNotFound, type Pod } from "@skiff/api";
import type { Client } from "@skiff/client";
import { accessMode, nodeFeature, type VolumeCapability } from "@skiff/csi";
import type { Init } from "@skiff/grpc";
import type { FsGroupUse, VolumeSpec } from "../volumes/volume-plugin.ts";

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Names a secret that a driver gets. */
export interface SecretRef {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** A volume of a storage driver, by claim or described in the pod itself. */
export interface CsiVolume {
  readonly driver: string;
  readonly handle: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly fsType: string;
  readonly readonly: boolean;
  readonly inline: boolean;
  readonly accessModes: readonly string[];
  readonly mountOptions: readonly string[];
  readonly stageSecret: SecretRef | undefined;
  readonly publishSecret: SecretRef | undefined;
  readonly expandSecret: SecretRef | undefined;
}

/** The handle of a volume that exists for one pod only. */
export const inlineHandle = (podUid: string, name: string): string => `csi-${sha(podUid + name)}`;

export const attachmentName = ({ handle, driver }: Pick<CsiVolume, "driver" | "handle">, nodeName: string): string =>
  `csi-${sha(handle + driver + nodeName)}`;

/** Where a volume is mounted once for all pods of the node, below the kubelet's folder. */
export const stagingFolder = ({ driver, handle }: Pick<CsiVolume, "driver" | "handle">): string =>
  `plugins/kubernetes.io/csi/${driver}/${sha(handle)}/globalmount`;

export function csiVolumeOf({ volume, claimed, readonly }: VolumeSpec, pod: Pod): CsiVolume | undefined {
  const source = claimed?.persistentVolume.spec.csi;
  if (claimed !== undefined && source !== undefined) {
    const { accessModes = [], mountOptions = [] } = claimed.persistentVolume.spec;
    return {
      driver: source.driver,
      handle: source.volumeHandle,
      attributes: source.volumeAttributes ?? {},
      fsType: source.fsType ?? "",
      readonly: readonly || source.readOnly === true,
      inline: false,
      accessModes,
      mountOptions,
      stageSecret: source.nodeStageSecretRef,
      publishSecret: source.nodePublishSecretRef,
      expandSecret: source.nodeExpandSecretRef,
    };
  }
  const own = volume.csi;
  if (own === undefined) return undefined;
  const { namespace } = pod.metadata;
  return {
    driver: own.driver,
    handle: inlineHandle(pod.metadata.uid, volume.name),
    attributes: own.volumeAttributes ?? {},
    fsType: own.fsType ?? "",
    readonly: own.readOnly === true,
    inline: true,
    accessModes: ["ReadWriteOnce"],
    mountOptions: [],
    stageSecret: undefined,
    publishSecret: own.nodePublishSecretRef === undefined ? undefined : { namespace, ...own.nodePublishSecretRef },
    expandSecret: undefined,
  };
}

/** How the volume is to be used, in the words that this driver's node service knows. */
export function capabilityOf(
  volume: CsiVolume,
  mode: VolumeSpec["mode"],
  { features, group }: { readonly features: ReadonlySet<number>; readonly group?: number | undefined },
): Init<VolumeCapability> {
  const access = { accessMode: { mode: accessModeOf(volume.accessModes, features) } };
  if (mode === "Block") return { block: {}, ...access };
  const volumeMountGroup = group !== undefined && features.has(nodeFeature.volumeMountGroup) ? String(group) : "";
  return { mount: { fsType: volume.fsType, mountFlags: volume.mountOptions, volumeMountGroup }, ...access };
}

/** The first of a volume's modes counts. Only some drivers know whether one pod or several of a node write. */
function accessModeOf([first]: readonly string[], features: ReadonlySet<number>): number {
  if (first === "ReadWriteMany") return accessMode.multiNodeMultiWriter;
  if (first === "ReadOnlyMany") return accessMode.multiNodeReaderOnly;
  if (!features.has(nodeFeature.singleNodeMultiWriter)) return accessMode.singleNodeWriter;
  return first === "ReadWriteOncePod" ? accessMode.singleNodeSingleWriter : accessMode.singleNodeMultiWriter;
}

/** The driver's object: how it wants to be asked. */
export const driverObject = (client: Client, name: string, signal: AbortSignal): Promise<CSIDriver | undefined> =>
  client.get(CSIDrivers, { name }, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

/** Why the driver does not offer such volumes, where it does not. */
export function lifecycleRefusal(volume: CsiVolume, object: CSIDriver | undefined): string | undefined {
  const mode = volume.inline ? "Ephemeral" : "Persistent";
  const refused = `volume mode "${mode}" not supported by driver ${volume.driver}`;
  if (object === undefined) return volume.inline ? `${refused} (no CSIDriver object)` : undefined;
  const offered: readonly string[] = object.spec.volumeLifecycleModes ?? ["Persistent"];
  if (offered.includes(mode)) return undefined;
  return `${refused} (only supports [${offered.map((one) => `"${one}"`).join(" ")}])`;
}

/** Whether the pod's group is given to the files. https://kubernetes-csi.github.io/docs/support-fsgroup.html */
export function fsGroupUse(volume: CsiVolume, object: CSIDriver | undefined): FsGroupUse {
  const policy = object?.spec.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
  if (policy === "None" || volume.readonly) return "never";
  if (policy === "File") return "byPolicy";
  const once = volume.accessModes.some((mode) => mode === "ReadWriteOnce" || mode === "ReadWriteOncePod");
  return volume.fsType !== "" && once ? "byPolicy" : "never";
}
