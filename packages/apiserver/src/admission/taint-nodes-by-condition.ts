import { Nodes } from "@skiff/api";
import type { AdmissionPlugin } from "../contracts.ts";
import { objectOf } from "./narrow.ts";

const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" } as const;

/** A new node gets no pods before the node lifecycle controller has seen it ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  resources: [Nodes],
  handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
  admit(request) {
    const node = objectOf(request, Nodes);
    if (node === undefined) return;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return;
    node.spec = { ...node.spec, taints: [...taints, { ...notReady }] };
  },
};
