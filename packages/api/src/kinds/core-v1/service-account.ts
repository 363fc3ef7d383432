import { defineResource } from "../../define-resource.ts";
import type { ServiceAccount } from "../../generated/types/core-v1.ts";

/** `serviceaccounts`. */
export const ServiceAccounts = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
});
