import { customResource, type DynamicObject } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue, present } from "@skiff/base";
import { snapshotDefinitions } from "./snapshot-definitions.ts";

const [snapshots, contents, classes] = snapshotDefinitions.map((definition) => customResource(definition).stored);

export const VolumeSnapshots = present(snapshots, "the definition of VolumeSnapshots");
export const VolumeSnapshotContents = present(contents, "the definition of VolumeSnapshotContents");
export const VolumeSnapshotClasses = present(classes, "the definition of VolumeSnapshotClasses");

const member = (object: unknown, name: string): JsonObject => {
  const value = isJsonObject(object) ? object[name] : undefined;
  return isJsonObject(value) ? value : {};
};
const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" ? value : undefined);

/** What a VolumeSnapshot says, as far as it is read here. */
export function snapshotFacts(object: DynamicObject) {
  const spec = member(object, "spec");
  const status = member(object, "status");
  const source = member(spec, "source");
  return {
    claim: text(source.persistentVolumeClaimName),
    content: text(source.volumeSnapshotContentName),
    className: text(spec.volumeSnapshotClassName),
    boundContent: text(status.boundVolumeSnapshotContentName),
    ready: status.readyToUse === true,
    status,
    spec,
  };
}

/** What a VolumeSnapshotContent says. */
export function contentFacts(object: DynamicObject) {
  const spec = member(object, "spec");
  const status = member(object, "status");
  const source = member(spec, "source");
  const ref = member(spec, "volumeSnapshotRef");
  return {
    driver: text(spec.driver) ?? "",
    deletionPolicy: text(spec.deletionPolicy) ?? "Retain",
    className: text(spec.volumeSnapshotClassName),
    /** Of a snapshot that is to be taken. */
    volume: text(source.volumeHandle),
    /** Of one that was there before. */
    preProvisioned: text(source.snapshotHandle),
    handle: text(status.snapshotHandle),
    ready: status.readyToUse === true,
    ref: { namespace: text(ref.namespace) ?? "", name: text(ref.name) ?? "", uid: text(ref.uid) },
    status,
    spec,
  };
}

/** What a VolumeSnapshotClass says. */
export function snapshotClassFacts(object: DynamicObject) {
  const parameters = Object.entries(isJsonObject(object.parameters) ? object.parameters : {});
  return {
    driver: typeof object.driver === "string" ? object.driver : "",
    deletionPolicy: object.deletionPolicy === "Retain" ? "Retain" : "Delete",
    isDefault: object.metadata.annotations?.["snapshot.storage.kubernetes.io/is-default-class"] === "true",
    parameters: Object.fromEntries(parameters.map(([key, value]) => [key, String(value)])),
  };
}
