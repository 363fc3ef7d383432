import { defineResource } from "../../define-resource.ts";
import type { Event } from "../../generated/types/core-v1.ts";

/** `events`. */
export const Events = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
});
