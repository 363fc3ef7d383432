import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "@skiff/api";
import { bestVolume, mismatch } from "./match.ts";
import {
  bindCompleted,
  boundByController,
  classOf,
  hasAnnotation,
  isBoundTo,
  leavesClassOpen,
  selectedNode,
} from "./words.ts";

export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What becomes of a claim. */
export type ClaimPlan =
  | { readonly kind: "bind"; readonly volume: PersistentVolume }
  | { readonly kind: "pending"; readonly event?: PlannedEvent }
  /** Somebody else makes its volume: the claim says who. */
  | { readonly kind: "provision"; readonly provisioner: string; readonly event: PlannedEvent }
  /** It left its class open, and there is a default by now. */
  | { readonly kind: "take class"; readonly name: string }
  | { readonly kind: "lost"; readonly event: PlannedEvent };

export interface ClaimSurroundings {
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  /** The name of the default class, if there is one. */
  defaultClass(): string | undefined;
  /** Names of pods that use the claim and are on no node yet. */
  waitingPods(): readonly string[];
}

const normal = (reason: string, message: string): PlannedEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): PlannedEvent => ({ type: "Warning", reason, message });

export function planClaim(claim: PersistentVolumeClaim, around: ClaimSurroundings): ClaimPlan {
  if (hasAnnotation(claim, bindCompleted)) return planBound(claim, around);
  const name = claim.spec.volumeName;
  return name ? planNamed(claim, around.volume(name), name) : planOpen(claim, around);
}

/** A claim that was bound before. */
function planBound(claim: PersistentVolumeClaim, around: ClaimSurroundings): ClaimPlan {
  const lost = (reason: string, message: string): ClaimPlan => ({ kind: "lost", event: warning(reason, message) });
  const name = claim.spec.volumeName;
  if (!name) {
    return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  const volume = around.volume(name);
  if (volume === undefined) {
    return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }
  const { claimRef } = volume.spec;
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { kind: "bind", volume };
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

/** A claim whose user named the volume. */
function planNamed(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined, name: string): ClaimPlan {
  if (volume === undefined) return { kind: "pending" };
  if (volume.spec.claimRef === undefined) {
    const why = mismatch(volume, claim);
    if (why === undefined) return { kind: "bind", volume };
    const message = `Cannot bind to requested volume "${name}": ${why}`;
    return { kind: "pending", event: warning("VolumeMismatch", message) };
  }
  if (isBoundTo(volume, claim)) return { kind: "bind", volume };
  if (hasAnnotation(claim, boundByController)) return { kind: "pending" };
  const message = `volume "${name}" already bound to a different claim.`;
  return { kind: "pending", event: warning("FailedBinding", message) };
}

function planOpen(claim: PersistentVolumeClaim, around: ClaimSurroundings): ClaimPlan {
  const className = classOf(claim);
  const storageClass = className === "" ? undefined : around.storageClass(className);
  const waits =
    storageClass?.volumeBindingMode === "WaitForFirstConsumer" && !claim.metadata.annotations?.[selectedNode];
  const volume = bestVolume(claim, around.volumes(), { keptOnly: waits });
  if (volume !== undefined) return { kind: "bind", volume };
  const byDefault = leavesClassOpen(claim) ? around.defaultClass() : undefined;
  if (byDefault !== undefined) return { kind: "take class", name: byDefault };
  if (waits) return { kind: "pending", event: waitingEvent(around.waitingPods()) };
  if (className !== "") return provision(className, storageClass);
  const message = "no persistent volumes available for this claim and no storage class is set";
  return { kind: "pending", event: normal("FailedBinding", message) };
}

function waitingEvent(pods: readonly string[]): PlannedEvent {
  if (pods.length === 0) {
    return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  }
  const message = `waiting for pod${pods.length === 1 ? "" : "s"} ${pods.join(",")} to be scheduled`;
  return normal("WaitForPodScheduled", message);
}

function provision(className: string, storageClass: StorageClass | undefined): ClaimPlan {
  const failed = (message: string): ClaimPlan => ({ kind: "pending", event: warning("ProvisioningFailed", message) });
  if (storageClass === undefined) return failed(`storageclass.storage.k8s.io "${className}" not found`);
  const { provisioner } = storageClass;
  // No volume plugin of Kubernetes' own makes volumes any more.
  if (provisioner.startsWith("kubernetes.io/")) return failed(`no volume plugin matched name: ${provisioner}`);
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system ` +
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return { kind: "provision", provisioner, event: normal("ExternalProvisioning", message) };
}
