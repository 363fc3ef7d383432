import { defineResource } from "../../define-resource.ts";
import type { Endpoints as EndpointsObject } from "../../generated/types/core-v1.ts";

/** The kind whose plural is its own name: type and definition are called the same. */
export type Endpoints = EndpointsObject;

/** `endpoints`. */
export const Endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
});
