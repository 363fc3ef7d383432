import type { Pod, PodStatus } from "../../generated/types/core-v1.ts";

/** What the status of a new pod says of its scheduling gates, where it has any. */
export const gatedCondition = ({ spec }: Pick<Pod, "spec">): Pick<PodStatus, "conditions"> =>
  (spec.schedulingGates ?? []).length === 0
    ? {}
    : {
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "SchedulingGated",
            message: "Scheduling is blocked due to non-empty scheduling gates",
          },
        ],
      };
