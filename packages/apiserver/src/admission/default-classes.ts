import {
  defaultStorageClass as classByDefault,
  defaultClass,
  IngressClasses,
  Ingresses,
  PersistentVolumeClaims,
  StorageClasses,
} from "@skiff/api";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { objectOf } from "./narrow.ts";

const isNew = ({ operation, subresource }: { readonly operation: string; readonly subresource: string | undefined }) =>
  operation === "CREATE" && subresource === undefined;

const oldStorageClass = "volume.beta.kubernetes.io/storage-class";

/** Claims that name no class get the default one, where there is one. An empty name means: none. */
export const defaultStorageClass = (table: ResourceTable): AdmissionPlugin => ({
  name: "DefaultStorageClass",
  resources: [PersistentVolumeClaims],
  handles: isNew,
  admit(request) {
    const claim = objectOf(request, PersistentVolumeClaims);
    if (claim === undefined || claim.spec.storageClassName !== undefined) return;
    if (claim.metadata.annotations?.[oldStorageClass] !== undefined) return;
    const found = classByDefault(table.of(StorageClasses).peekAll());
    if (found !== undefined) claim.spec.storageClassName = found.metadata.name;
  },
});

const ingressAnnotation = "ingressclass.kubernetes.io/is-default-class";
const oldIngressClass = "kubernetes.io/ingress.class";

/** The same for Ingresses. */
export const defaultIngressClass = (table: ResourceTable): AdmissionPlugin => ({
  name: "DefaultIngressClass",
  resources: [Ingresses],
  handles: isNew,
  admit(request) {
    const ingress = objectOf(request, Ingresses);
    if (ingress === undefined || ingress.spec?.ingressClassName !== undefined) return;
    if (ingress.metadata.annotations?.[oldIngressClass] !== undefined) return;
    const found = defaultClass(table.of(IngressClasses).peekAll(), [ingressAnnotation]);
    if (found !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
  },
});
