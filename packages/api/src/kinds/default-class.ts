import type { StorageClass } from "../generated/types/storage-v1.ts";
import type { KubeObject } from "../object.ts";

/** The class that is marked as the default: of several the newest, and of those as old the first by name. */
export function defaultClass<T extends KubeObject>(
  classes: readonly T[],
  annotations: readonly string[],
): T | undefined {
  return classes
    .filter(({ metadata }) => annotations.some((name) => metadata.annotations?.[name] === "true"))
    .sort((a, b) => {
      const [x, y] = [a.metadata, b.metadata];
      const newer = Date.parse(y.creationTimestamp) - Date.parse(x.creationTimestamp);
      return newer !== 0 ? newer : x.name < y.name ? -1 : 1;
    })[0];
}

const storageAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The StorageClass of claims that name none. */
export const defaultStorageClass = (classes: readonly StorageClass[]): StorageClass | undefined =>
  defaultClass(classes, storageAnnotations);
