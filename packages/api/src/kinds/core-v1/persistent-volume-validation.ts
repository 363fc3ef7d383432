import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  CSIPersistentVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
} from "../../generated/types/core-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import {
  checkChoice,
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkNoBacksteps,
  checkRequired,
  type Findings,
  notPositiveMessage,
} from "../../validation/checks.ts";
import { specDifference } from "../spec-difference.ts";
import { checkNodeSelector } from "./affinity-validation.ts";
import { checkCsiDriverName, checkRemoteVolume } from "./remote-volume-validation.ts";
import { checkAccessModes, checkBasicAmount, volumeModes } from "./volume-claim-validation.ts";
import { checkHostPath } from "./volume-validation.ts";

const reclaimPolicies = ["Delete", "Recycle", "Retain"];

/** Sources in the order in which they are looked at, and what refusals call them. */
const sources = [
  ["hostPath", "hostPath"],
  ["gcePersistentDisk", "gcePersistentDisk"],
  ["awsElasticBlockStore", "awsElasticBlockStore"],
  ["glusterfs", "glusterfs"],
  ["flocker", "flocker"],
  ["nfs", "nfs"],
  ["rbd", "rbd"],
  ["quobyte", "quobyte"],
  ["cephfs", "cephFS"],
  ["iscsi", "iscsi"],
  ["cinder", "cinder"],
  ["fc", "fc"],
  ["flexVolume", "flexVolume"],
  ["azureFile", "azureFile"],
  ["vsphereVolume", "vsphereVolume"],
  ["photonPersistentDisk", "photonPersistentDisk"],
  ["portworxVolume", "portworxVolume"],
  ["azureDisk", "azureDisk"],
  ["scaleIO", "scaleIO"],
  ["local", "local"],
  ["storageos", "storageos"],
  ["csi", "csi"],
] as const;

/** A volume of the cluster. */
export function* checkVolume({ spec }: PersistentVolume): Findings {
  if (!spec.accessModes?.length) yield fieldError.required("spec.accessModes");
  yield* checkAccessModes("spec.accessModes", spec.accessModes ?? []);
  yield* checkCapacity("spec.capacity", spec.capacity ?? {});
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy) yield* checkChoice("spec.persistentVolumeReclaimPolicy", policy, reclaimPolicies);
  yield* checkNodeAffinity("spec.nodeAffinity", spec);
  yield* checkSource("spec", spec);
  const root = spec.hostPath?.path !== undefined && /^\/+$/.test(spec.hostPath.path);
  if (root && policy === "Recycle") {
    const message = "may not be 'recycle' for a hostPath mount of '/'";
    yield fieldError.forbidden("spec.persistentVolumeReclaimPolicy", message);
  }
  if (spec.storageClassName) yield* checkDnsSubdomain("spec.storageClassName", spec.storageClassName);
  yield* checkChoice("spec.volumeMode", spec.volumeMode, volumeModes);
  yield* checkAttributesClass("spec", spec);
}

function* checkCapacity(field: string, capacity: Readonly<Record<string, string>>): Findings {
  const names = Object.keys(capacity);
  if (names.length === 0) yield fieldError.required(field);
  if (capacity.storage === undefined || names.length > 1) {
    yield fieldError.notSupported(field, names.length === 0 ? null : capacity, ["storage"]);
  }
  for (const [name, amount] of Object.entries(capacity)) {
    yield* checkBasicAmount(`${field}[${name}]`, amount);
    if (compareQuantities(amount, "0") <= 0) yield fieldError.invalid(`${field}[${name}]`, amount, notPositiveMessage);
  }
}

function* checkNodeAffinity(field: string, { nodeAffinity }: PersistentVolumeSpec): Findings {
  if (!nodeAffinity) return;
  if (nodeAffinity.required) yield* checkNodeSelector(`${field}.required`, nodeAffinity.required);
  else yield fieldError.required(`${field}.required`, "must specify required node constraints");
}

/** Exactly one source. */
function* checkSource(field: string, spec: PersistentVolumeSpec): Findings {
  const given = sources.filter(([name]) => spec[name] !== undefined);
  const [first] = given;
  if (first === undefined) return yield fieldError.required(field, "must specify a volume type");
  for (const [name, shown] of given) {
    if (name === first[0]) yield* checkOne(field, spec, name);
    else yield fieldError.forbidden(`${field}.${shown}`, "may not specify more than 1 volume type");
  }
}

function* checkOne(field: string, spec: PersistentVolumeSpec, name: (typeof sources)[number][0]): Findings {
  switch (name) {
    case "hostPath":
      if (spec.hostPath) yield* checkHostPath(`${field}.hostPath`, spec.hostPath);
      break;
    case "local": {
      const path = spec.local?.path;
      if (path) yield* checkNoBacksteps(`${field}.local.path`, path);
      else yield fieldError.required(`${field}.local.path`);
      if (!spec.nodeAffinity?.required) {
        yield fieldError.required(`${field}.nodeAffinity`, "Local volume requires node affinity");
      }
      break;
    }
    case "csi":
      if (spec.csi) yield* checkCsi(`${field}.csi`, spec.csi);
      break;
    default:
      yield* checkRemoteVolume(field, { name: "", [name]: spec[name] });
  }
}

/** A volume of a driver. */
export function* checkCsi(field: string, csi: CSIPersistentVolumeSource): Findings {
  yield* checkCsiDriverName(`${field}.driver`, csi.driver ?? "");
  yield* checkRequired(`${field}.volumeHandle`, csi.volumeHandle);
  for (const name of [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
  ] as const) {
    const secret = csi[name];
    if (secret) yield* checkSecret(`${field}.${name}`, secret);
  }
}

function* checkSecret(field: string, { name, namespace }: SecretReference): Findings {
  if (name) yield* checkDnsSubdomain(`${field}.name`, name);
  else yield fieldError.required(`${field}.name`);
  if (namespace) yield* checkDnsLabel(`${field}.namespace`, namespace);
  else yield fieldError.required(`${field}.namespace`);
}

function* checkAttributesClass(field: string, spec: PersistentVolumeSpec): Findings {
  const name = spec.volumeAttributesClassName;
  if (name === undefined) return;
  const path = `${field}.volumeAttributesClassName`;
  if (name === "") yield fieldError.required(path, "an empty string is disallowed");
  else yield* checkDnsSubdomain(path, name);
  if (!spec.csi) yield fieldError.required(`${field}.csi`, "has to be specified when using volumeAttributesClassName");
}

/** What a volume attachment says of a volume that has no object of its own. */
export function* checkInlineVolume(field: string, spec: PersistentVolumeSpec): Findings {
  const inContext = "in the context of inline volumes";
  const forbidden = (name: string) => fieldError.forbidden(`${field}.${name}`, `may not be specified ${inContext}`);
  if (spec.claimRef) yield forbidden("claimRef");
  if (Object.keys(spec.capacity ?? {}).length > 0) yield forbidden("capacity");
  if (!spec.csi) yield fieldError.required(`${field}.csi`, `has to be specified ${inContext}`);
  if (!spec.accessModes?.length) yield fieldError.required(`${field}.accessModes`);
  yield* checkAccessModes(`${field}.accessModes`, spec.accessModes ?? []);
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && policy !== "Retain") {
    yield fieldError.forbidden(`${field}.persistentVolumeReclaimPolicy`, `may only be Retain ${inContext}`);
  }
  if (spec.nodeAffinity) yield forbidden("nodeAffinity");
  yield* checkSource(field, spec);
  if (spec.storageClassName) yield forbidden("storageClassName");
  if (spec.volumeMode !== undefined && spec.volumeMode !== "Filesystem") {
    const message = `may not specify volumeMode other than Filesystem ${inContext}`;
    yield fieldError.forbidden(`${field}.volumeMode`, message);
  }
  yield* checkAttributesClass(field, spec);
}

const sourceOf = (spec: PersistentVolumeSpec) => Object.fromEntries(sources.map(([name]) => [name, spec[name]]));

/** A change of a volume: where it lies stays. */
export function* checkVolumeUpdate({ spec }: PersistentVolume, { spec: old }: PersistentVolume): Findings {
  const now = sourceOf(spec);
  const before = sourceOf(old);
  // A secret for expansion may be added later.
  if (spec.csi && old.csi && old.csi.controllerExpandSecretRef === undefined) {
    now.csi = { ...spec.csi, controllerExpandSecretRef: undefined };
  }
  if (!jsonEqual(now, before)) {
    const message = "spec.persistentvolumesource is immutable after creation";
    const difference = specDifference("core.PersistentVolumeSource", before, now);
    yield fieldError.forbidden("spec.persistentvolumesource", `${message}\n${difference}`);
  }
  yield* checkImmutable("volumeMode", spec.volumeMode, old.volumeMode);
  if (old.nodeAffinity) yield* checkImmutable("nodeAffinity", spec.nodeAffinity, old.nodeAffinity);
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    yield fieldError.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden");
  }
}
