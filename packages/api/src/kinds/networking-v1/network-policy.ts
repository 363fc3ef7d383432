import { defineResource } from "../../define-resource.ts";
import type { NetworkPolicy } from "../../generated/types/networking-v1.ts";

/** `networkpolicies.networking.k8s.io`. */
export const NetworkPolicies = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
});
