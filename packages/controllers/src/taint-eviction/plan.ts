import { type Taint, type Toleration, tolerates } from "@skiff/api";

/**
 * How long a pod may stay on a node with these `NoExecute` taints, in milliseconds: 0 when it does not tolerate them all,
 * the shortest of its tolerations otherwise, `undefined` for ever.
 */
export function mayStayMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number | undefined {
  const seconds: number[] = [];
  for (const taint of taints) {
    const covering = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (covering.length === 0) return 0;
    for (const { tolerationSeconds } of covering) if (tolerationSeconds !== undefined) seconds.push(tolerationSeconds);
  }
  return seconds.length === 0 ? undefined : Math.max(0, Math.min(...seconds)) * 1000;
}
