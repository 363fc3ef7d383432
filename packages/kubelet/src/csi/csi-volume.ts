import { createHash } from "node:crypto";
import { type CSIDriver, CSIDrivers, isNotFound, type Pod, Secrets, ServiceAccounts } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { Client } from "@skiff/client";
import { accessMode, type VolumeCapability } from "@skiff/csi";
import type { Init } from "@skiff/grpc";
import type { FsGroupUse, VolumeSpec } from "../volumes/volume-plugin.ts";

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

interface SecretRef {
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
}

/** The handle of a volume that exists for one pod only. */
export const inlineHandle = (podUid: string, name: string): string => `csi-${sha(podUid + name)}`;

export const attachmentName = ({ handle, driver }: CsiVolume, nodeName: string): string =>
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
  };
}

export function capabilityOf(
  volume: CsiVolume,
  mode: VolumeSpec["mode"],
  group: number | undefined,
): Init<VolumeCapability> {
  const access = { accessMode: { mode: accessModeOf(volume.accessModes) } };
  if (mode === "Block") return { block: {}, ...access };
  const volumeMountGroup = group === undefined ? "" : String(group);
  return { mount: { fsType: volume.fsType, mountFlags: volume.mountOptions, volumeMountGroup }, ...access };
}

function accessModeOf(modes: readonly string[]): number {
  if (modes.includes("ReadWriteMany")) return accessMode.multiNodeMultiWriter;
  if (modes.includes("ReadWriteOncePod")) return accessMode.singleNodeSingleWriter;
  if (modes.includes("ReadOnlyMany")) {
    return modes.includes("ReadWriteOnce") ? accessMode.multiNodeSingleWriter : accessMode.multiNodeReaderOnly;
  }
  return accessMode.singleNodeMultiWriter;
}

/** The driver's object: how it wants to be asked. */
export const driverObject = (client: Client, name: string, signal: AbortSignal): Promise<CSIDriver | undefined> =>
  client.get(CSIDrivers, { name }, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

/** What the driver is told of the volume, with the pod and its tokens where it asked for them. */
export async function publishContext(
  volume: CsiVolume,
  pod: Pod,
  object: CSIDriver | undefined,
  { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
): Promise<Readonly<Record<string, string>>> {
  const { namespace, name, uid } = pod.metadata;
  const serviceAccount = pod.spec.serviceAccountName ?? "default";
  const about: Record<string, string> =
    object?.spec.podInfoOnMount === true
      ? {
          "csi.storage.k8s.io/pod.name": name,
          "csi.storage.k8s.io/pod.namespace": namespace,
          "csi.storage.k8s.io/pod.uid": uid,
          "csi.storage.k8s.io/serviceAccount.name": serviceAccount,
          "csi.storage.k8s.io/ephemeral": String(volume.inline),
        }
      : {};
  const tokens: Record<string, object> = {};
  for (const { audience, expirationSeconds } of object?.spec.tokenRequests ?? []) {
    const request = {
      spec: {
        audiences: audience === "" ? [] : [audience],
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
      },
    };
    const ref = { namespace, name: serviceAccount };
    const { status } = await client.createSubresource(ServiceAccounts, ref, "token", request, { signal });
    if (!isJsonObject(status)) continue;
    tokens[audience] = { token: status.token, expirationTimestamp: status.expirationTimestamp };
  }
  const withTokens =
    Object.keys(tokens).length === 0 ? {} : { "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify(tokens) };
  return { ...volume.attributes, ...about, ...withTokens };
}

/** A secret's entries, as drivers get them. */
export async function secretOf(
  client: Client,
  ref: SecretRef | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (ref?.name === undefined) return {};
  const secret = await client.get(Secrets, { namespace: ref.namespace, name: ref.name }, { signal });
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}

/** Whether the pod's group is given to the files. https://kubernetes-csi.github.io/docs/support-fsgroup.html */
export function fsGroupUse(volume: CsiVolume, object: CSIDriver | undefined): FsGroupUse {
  const policy = object?.spec.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
  if (policy === "None") return "never";
  if (policy === "File") return "byPolicy";
  const once = volume.accessModes.some((mode) => mode === "ReadWriteOnce" || mode === "ReadWriteOncePod");
  return volume.fsType !== "" && once ? "byPolicy" : "never";
}
