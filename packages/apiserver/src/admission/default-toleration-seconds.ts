import { Pods, type Toleration } from "@skiff/api";
import type { AdmissionPlugin } from "../contracts.ts";
import { objectOf } from "./narrow.ts";

const keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;
const seconds = 300;

const tolerates = (toleration: Toleration, key: string): boolean =>
  (toleration.key === key || !toleration.key) && (toleration.effect === "NoExecute" || !toleration.effect);

/** Pods stay five minutes on a node that is not ready or out of reach, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  resources: [Pods],
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
  admit(request) {
    const spec = objectOf(request, Pods)?.spec;
    if (spec === undefined) return;
    const given = spec.tolerations ?? [];
    const missing = keys.filter((key) => !given.some((toleration) => tolerates(toleration, key)));
    if (missing.length === 0) return;
    const added = missing.map(
      (key): Toleration => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds }),
    );
    spec.tolerations = [...given, ...added];
  },
};
