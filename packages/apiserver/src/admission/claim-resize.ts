import { compareQuantities, type PersistentVolumeClaim, PersistentVolumeClaims, StorageClasses } from "@skiff/api";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

const classOf = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";

/** Claims grow only once they are bound, and where their class says that its volumes can grow. */
export const persistentVolumeClaimResize = (table: ResourceTable): AdmissionPlugin => ({
  name: "PersistentVolumeClaimResize",
  resources: [PersistentVolumeClaims],
  handles: ({ operation, subresource }) => operation === "UPDATE" && subresource === undefined,
  validate(request) {
    const claim = objectOf(request, PersistentVolumeClaims);
    const old = oldObjectOf(request, PersistentVolumeClaims);
    const [size, before] = [claim?.spec.resources?.requests?.storage, old?.spec.resources?.requests?.storage];
    if (claim === undefined || old === undefined || size === undefined) return;
    if (compareQuantities(size, before ?? "0") <= 0) return;
    if (old.status?.phase !== "Bound") throw refused(request, "Only bound persistent volume claims can be expanded");
    const name = classOf(claim);
    const grows =
      name !== "" && name === classOf(old) && table.of(StorageClasses).peek({ name })?.allowVolumeExpansion === true;
    if (grows) return;
    throw refused(
      request,
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    );
  },
});
