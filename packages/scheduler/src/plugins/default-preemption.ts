import { definePlugin } from "../framework.ts";

/** Ends less important pods for one that finds no room; see `preemption/`. */
export const defaultPreemption = definePlugin({ name: "DefaultPreemption", retryOn: [], postFilter: "preemption" });
