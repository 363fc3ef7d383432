import { fieldError, fieldErrorText, Pods } from "@skiff/api";
import type { AdmissionPlugin } from "../../contracts.ts";
import { objectOf, refused } from "../narrow.ts";

const handled: ReadonlySet<string | undefined> = new Set([undefined, "ephemeralcontainers"]);

/** Has each pod's images pulled by its own credentials, so that nobody uses what others have brought to a node. */
export const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",
  resources: [Pods],
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && handled.has(subresource),
  admit(request) {
    const spec = objectOf(request, Pods)?.spec;
    if (spec === undefined) return;
    for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
      for (const container of list ?? []) container.imagePullPolicy = "Always";
    }
    for (const volume of spec.volumes ?? []) if (volume.image !== undefined) volume.image.pullPolicy = "Always";
  },
  validate(request) {
    const spec = objectOf(request, Pods)?.spec;
    const lists = [
      ["initContainers", spec?.initContainers],
      ["containers", spec?.containers],
      ["ephemeralContainers", spec?.ephemeralContainers],
    ] as const;
    for (const [field, list = []] of lists) {
      for (const [index, { imagePullPolicy = "" }] of list.entries()) {
        if (imagePullPolicy === "Always") continue;
        const where = `spec.${field}[${index}].imagePullPolicy`;
        throw refused(request, fieldErrorText(fieldError.notSupported(where, imagePullPolicy, ["Always"])));
      }
    }
  },
};
