import { fieldError } from "../../field-error.ts";
import type { Volume } from "../../generated/types/core-v1.ts";
import {
  checkChoice,
  checkDescendingPath,
  checkRange,
  checkRequired,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { dnsSubdomain } from "../../validation/names.ts";

/** The name of a driver: a domain, at most 63. */
export function* checkCsiDriverName(field: string, name: string): Findings {
  if (name === "") return yield fieldError.required(field);
  if (name.length > 63) yield fieldError.tooLong(field, 63);
  yield* invalidFor(field, name, dnsSubdomain(name.toLowerCase()));
}

/** Sources that lie elsewhere: their addresses must be there, what they mean is for their drivers. */
export function* checkRemoteVolume(field: string, volume: Volume): Findings {
  const { nfs, persistentVolumeClaim, csi, fc, gitRepo, flexVolume } = volume;
  if (persistentVolumeClaim) {
    yield* checkRequired(`${field}.persistentVolumeClaim.claimName`, persistentVolumeClaim.claimName);
  }
  if (nfs) {
    yield* checkRequired(`${field}.nfs.server`, nfs.server);
    yield* checkRequired(`${field}.nfs.path`, nfs.path);
    if (!nfs.path?.startsWith("/")) {
      yield fieldError.invalid(`${field}.nfs.path`, nfs.path ?? "", "must be an absolute path");
    }
  }
  if (csi) {
    yield* checkCsiDriverName(`${field}.csi.driver`, csi.driver ?? "");
    if (csi.nodePublishSecretRef) {
      yield* checkRequired(`${field}.csi.nodePublishSecretRef.name`, csi.nodePublishSecretRef.name);
    }
  }
  if (gitRepo) {
    yield* checkRequired(`${field}.gitRepo.repository`, gitRepo.repository);
    yield* checkDescendingPath(`${field}.gitRepo.directory`, gitRepo.directory ?? "");
  }
  if (flexVolume) yield* checkRequired(`${field}.flexVolume.driver`, flexVolume.driver);
  if (fc) yield* checkFibreChannel(`${field}.fc`, fc);
  yield* checkBlockDevices(field, volume);
  yield* checkNetworkFileSystems(field, volume);
}

function* checkFibreChannel(field: string, fc: NonNullable<Volume["fc"]>): Findings {
  const names = fc.targetWWNs?.length ?? 0;
  const ids = fc.wwids?.length ?? 0;
  const path = `${field}.targetWWNs`;
  if (names === 0 && ids === 0) {
    yield fieldError.required(path, "must specify either targetWWNs or wwids, but not both");
  }
  if (names > 0 && ids > 0) {
    yield fieldError.invalid(path, fc.targetWWNs, "targetWWNs and wwids can not be specified simultaneously");
  }
  if (names === 0) return;
  if (fc.lun === undefined) yield fieldError.required(`${field}.lun`, "lun is required if targetWWNs is specified");
  else yield* checkRange(`${field}.lun`, fc.lun, [0, 255]);
}

function* checkBlockDevices(field: string, volume: Volume): Findings {
  const { iscsi, rbd, gcePersistentDisk, awsElasticBlockStore, azureDisk, cinder } = volume;
  if (iscsi) {
    yield* checkRequired(`${field}.iscsi.targetPortal`, iscsi.targetPortal);
    yield* checkRequired(`${field}.iscsi.iqn`, iscsi.iqn);
    if (iscsi.iqn && !/^(?:iqn|eui|naa)/.test(iscsi.iqn)) {
      const message = "must be valid format starting with iqn, eui, or naa";
      yield fieldError.invalid(`${field}.iscsi.iqn`, iscsi.iqn, message);
    }
    yield* checkRange(`${field}.iscsi.lun`, iscsi.lun, [0, 255]);
    if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) {
      yield fieldError.required(`${field}.iscsi.secretRef`);
    }
  }
  if (rbd) {
    if (!rbd.monitors?.length) yield fieldError.required(`${field}.rbd.monitors`);
    yield* checkRequired(`${field}.rbd.image`, rbd.image);
  }
  if (gcePersistentDisk) {
    yield* checkRequired(`${field}.persistentDisk.pdName`, gcePersistentDisk.pdName);
    yield* checkPartition(`${field}.persistentDisk.partition`, gcePersistentDisk.partition);
  }
  if (awsElasticBlockStore) {
    yield* checkRequired(`${field}.awsElasticBlockStore.volumeID`, awsElasticBlockStore.volumeID);
    yield* checkPartition(`${field}.awsElasticBlockStore.partition`, awsElasticBlockStore.partition);
  }
  if (azureDisk) {
    yield* checkRequired(`${field}.azureDisk.diskName`, azureDisk.diskName);
    yield* checkRequired(`${field}.azureDisk.diskURI`, azureDisk.diskURI);
    yield* checkChoice(`${field}.azureDisk.cachingMode`, azureDisk.cachingMode, ["None", "ReadOnly", "ReadWrite"]);
    yield* checkChoice(`${field}.azureDisk.kind`, azureDisk.kind, ["Dedicated", "Managed", "Shared"]);
  }
  if (cinder) {
    yield* checkRequired(`${field}.cinder.volumeID`, cinder.volumeID);
    if (cinder.secretRef) yield* checkRequired(`${field}.cinder.secretRef.name`, cinder.secretRef.name);
  }
}

function* checkPartition(field: string, partition: number | undefined): Findings {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return;
  yield fieldError.invalid(field, partition, "must be between 1 and 255, inclusive");
}

function* checkNetworkFileSystems(field: string, volume: Volume): Findings {
  const { glusterfs, cephfs, azureFile, vsphereVolume, quobyte, flocker } = volume;
  if (glusterfs) {
    yield* checkRequired(`${field}.glusterfs.endpoints`, glusterfs.endpoints);
    yield* checkRequired(`${field}.glusterfs.path`, glusterfs.path);
  }
  if (cephfs && !cephfs.monitors?.length) yield fieldError.required(`${field}.cephfs.monitors`);
  if (azureFile) {
    yield* checkRequired(`${field}.azureFile.secretName`, azureFile.secretName);
    yield* checkRequired(`${field}.azureFile.shareName`, azureFile.shareName);
  }
  if (vsphereVolume) yield* checkRequired(`${field}.vsphereVolume.volumePath`, vsphereVolume.volumePath);
  if (quobyte) {
    if (!quobyte.registry) {
      const message = "must be a host:port pair or multiple pairs separated by commas";
      yield fieldError.required(`${field}.quobyte.registry`, message);
    }
    yield* checkRequired(`${field}.quobyte.volume`, quobyte.volume);
  }
  if (flocker && !flocker.datasetName && !flocker.datasetUUID) {
    yield fieldError.required(`${field}.flocker`, "one of datasetName and datasetUUID is required");
  }
}
