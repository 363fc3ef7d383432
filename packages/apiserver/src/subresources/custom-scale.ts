import { type KubeObject, refusals, type ScalePaths, setValueAt, simplePath, valueAt } from "@skiff/api";
import type { SubresourceHandler } from "../contracts.ts";
import { asJson } from "../encoding/object-json.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { type ScaleForm, scaleHandler } from "./scale.ts";

const handlers = new WeakMap<ObjectStorage, SubresourceHandler>();

/** `/scale` of a custom resource whose definition has one. */
export function customScale(storage: ObjectStorage, subresource: string | undefined): SubresourceHandler | undefined {
  const paths = storage.resource.custom?.scale;
  if (paths === undefined || subresource !== "scale") return undefined;
  const known = handlers.get(storage);
  if (known !== undefined) return known;
  const made = scaleHandler(() => storage, storage.environment.clock, formOf(paths));
  handlers.set(storage, made);
  return made;
}

function formOf({ specReplicasPath, statusReplicasPath, labelSelectorPath }: ScalePaths): ScaleForm {
  const [spec, status, selector] = [specReplicasPath, statusReplicasPath, labelSelectorPath ?? ""].map(simplePath);
  const numberAt = (object: KubeObject, steps: readonly string[] = []): number | undefined => {
    const value = valueAt(object, steps);
    return typeof value === "number" ? value : undefined;
  };
  return {
    replicas(object) {
      const replicas = numberAt(object, spec);
      if (replicas === undefined) {
        throw refusals.internal(`the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`);
      }
      return replicas;
    },
    statusReplicas: (object) => numberAt(object, status) ?? 0,
    selector(object) {
      const value = selector === undefined || selector.length === 0 ? undefined : valueAt(object, selector);
      return typeof value === "string" ? value : "";
    },
    setReplicas: (object, replicas) => setValueAt(asJson(object), spec ?? [], replicas),
  };
}
