import { definePlugin } from "../framework.ts";
import { byPriority } from "../queue.ts";

/** The more important pod first, then the one that has waited longer. */
export const prioritySort = definePlugin({ name: "PrioritySort", retryOn: [], queueSort: byPriority });
