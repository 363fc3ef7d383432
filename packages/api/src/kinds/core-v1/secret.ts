import { defineResource } from "../../define-resource.ts";
import type { Secret } from "../../generated/types/core-v1.ts";

/** `secrets`. */
export const Secrets = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
});
