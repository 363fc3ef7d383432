import { compareQuantities, labelSelectorOf, type PersistentVolume, type PersistentVolumeClaim } from "@skiff/api";
import { classOf, isBoundTo } from "./words.ts";

const sizeOf = ({ spec }: PersistentVolume): string => spec.capacity?.storage ?? "0";
const wantedSize = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.storage ?? "0";

const offersModes = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));

const sameMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec.volumeMode ?? "Filesystem") === (claim.spec.volumeMode ?? "Filesystem");

const sameAttributes = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec.volumeAttributesClassName ?? "") === (claim.spec.volumeAttributesClassName ?? "");

/** Why a volume that a claim names cannot be its own; `undefined` when it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (compareQuantities(sizeOf(volume), wantedSize(claim)) < 0) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (!sameMode(volume, claim)) return "incompatible volumeMode";
  if (!sameAttributes(volume, claim)) return "volumeAttributesClassName does not match";
  return offersModes(volume, claim) ? undefined : "incompatible accessMode";
}

/**
 * The volume that suits a claim best: one that is kept for it, else of those with the fewest access modes beyond the
 * wanted ones the smallest. With `keptOnly` (a claim that waits for its first pod) only one that is kept for it.
 */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { keptOnly }: { readonly keptOnly: boolean },
): PersistentVolume | undefined {
  const possible = volumes
    .filter((volume) => offersModes(volume, claim))
    .filter((volume) => volume.metadata.deletionTimestamp === undefined)
    .filter((volume) => volume.spec.claimRef === undefined || isBoundTo(volume, claim))
    .filter((volume) => compareQuantities(sizeOf(volume), wantedSize(claim)) >= 0)
    .filter((volume) => sameMode(volume, claim) && sameAttributes(volume, claim))
    .sort(bySuitability);
  const kept = possible.find((volume) => isBoundTo(volume, claim));
  if (kept !== undefined || keptOnly) return kept;
  const { selector } = claim.spec;
  return possible.find(
    (volume) =>
      volume.status?.phase === "Available" &&
      classOf(volume) === classOf(claim) &&
      (selector === undefined || labelSelectorOf(selector).matches(volume.metadata.labels ?? {})),
  );
}

function bySuitability(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes;
  return compareQuantities(sizeOf(a), sizeOf(b)) || (a.metadata.name < b.metadata.name ? -1 : 1);
}
