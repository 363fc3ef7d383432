import type { Pod } from "@skiff/api";
import type { Decision } from "./decision.ts";
import { explain, type PodScheduling } from "./explain.ts";
import type { ClusterView } from "./framework.ts";
import { gateOf, type Profile } from "./profile.ts";

/** Why a pod is where it is, or has no node; `profile` is the one that places it, if there is one here. */
export function explainPod(
  pod: Pod,
  decision: Decision | undefined,
  profile: Profile | undefined,
  view: ClusterView,
): PodScheduling {
  const { nodeName, schedulerName } = pod.spec;
  if (nodeName) {
    const ours = decision?.kind === "placed" && decision.node === nodeName;
    return explain(pod, ours ? decision : undefined, `on ${nodeName}; how it came there is not remembered`);
  }
  if (profile === undefined) return explain(pod, undefined, `left to the scheduler ${schedulerName}`);
  const gate = gateOf(profile, pod, view);
  return gate === undefined
    ? explain(pod, decision, "not tried yet")
    : explain(pod, undefined, `${gate.plugin}: ${gate.reason}`);
}
