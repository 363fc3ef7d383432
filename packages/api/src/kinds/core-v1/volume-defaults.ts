import type {
  DownwardAPIVolumeFile,
  ScaleIOVolumeSource,
  Volume,
  VolumeProjection,
} from "../../generated/types/core-v1.ts";
import { defaultImagePullPolicy } from "../image-pull-policy.ts";

/** `-rw-r--r--`, what files of configMap, secret, downwardAPI and projected volumes have unless told otherwise. */
const filesMode = 0o644;

/** Fills in a volume; one without a source is an emptyDir. */
export function defaultVolume(volume: Volume): void {
  if (Object.entries(volume).every(([field, value]) => field === "name" || value === undefined || value === null)) {
    volume.emptyDir = {};
  }
  if (volume.secret) volume.secret.defaultMode ??= filesMode;
  if (volume.configMap) volume.configMap.defaultMode ??= filesMode;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= filesMode;
    volume.downwardAPI.items?.forEach(defaultDownwardFile);
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= filesMode;
    volume.projected.sources?.forEach(defaultProjection);
  }
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.image) volume.image.pullPolicy ||= defaultImagePullPolicy(volume.image.reference);
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template) {
    if (!template.spec) Reflect.set(template, "spec", {});
    template.spec.volumeMode ??= "Filesystem";
  }
  defaultRemoteVolume(volume);
}

interface Scaled {
  readonly scaleIO?: Pick<ScaleIOVolumeSource, "storageMode" | "fsType"> | undefined;
}

function defaultProjection(source: VolumeProjection): void {
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
  if (source.podCertificate) source.podCertificate.maxExpirationSeconds ??= 86_400;
  source.downwardAPI?.items?.forEach(defaultDownwardFile);
}

function defaultDownwardFile(file: DownwardAPIVolumeFile): void {
  if (file.fieldRef) file.fieldRef.apiVersion ||= "v1";
  if (file.resourceFieldRef) file.resourceFieldRef.divisor ??= "0";
}

/** Fills in sources that lie elsewhere, of volumes of pods and of the cluster. */
export function defaultRemoteVolume(sources: Pick<Volume, "iscsi" | "rbd" | "azureDisk"> & Scaled): void {
  const { iscsi, rbd, azureDisk, scaleIO } = sources;
  if (iscsi) iscsi.iscsiInterface ||= "default";
  if (rbd) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
