import type { Loop } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { Collector } from "./collector.ts";

/** Deletes what has lost all its owners, over all resources. https://kubernetes.io/docs/concepts/architecture/garbage-collection/ */
export const garbageCollector = (resources: ResourceSet): Loop => ({
  name: "garbage-collector",
  component: "garbage-collector-controller",
  start: (context) => new Collector(context, resources),
});
