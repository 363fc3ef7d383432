import { definePlugin } from "../framework.ts";

/** Pods wait for their gates to be taken away before they are tried at all. */
export const schedulingGates = definePlugin({
  name: "SchedulingGates",
  retryOn: [],
  preEnqueue: ({ spec }) => {
    const gates = (spec.schedulingGates ?? []).map(({ name }) => name);
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.join(" ")}]`;
  },
});
