import type { DeviceTaint, DeviceToleration, DynamicResourceClaim, ResourceSlice } from "@skiff/api";

const tolerates = ({ key, operator = "Equal", value = "", effect }: DeviceToleration, taint: DeviceTaint): boolean =>
  (!effect || effect === taint.effect) &&
  (!key || key === taint.key) &&
  (operator === "Exists" || value === (taint.value ?? ""));

/** When a device has to be given up because of a taint; `undefined`: never. */
function leavesAtMs(taint: DeviceTaint, tolerations: readonly DeviceToleration[], nowMs: number): number | undefined {
  if (taint.effect !== "NoExecute") return undefined;
  const sinceMs = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded);
  const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
  if (matching.length === 0) return sinceMs;
  const times = matching.flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : [sinceMs + Math.max(0, tolerationSeconds) * 1000],
  );
  return times.length < matching.length ? undefined : Math.max(...times);
}

/** When the pods of a claim have to go because of taints of its devices; `undefined`: they may stay. */
export function evictionAtMs(
  { status }: Pick<DynamicResourceClaim, "status">,
  slices: readonly ResourceSlice[],
  nowMs: number,
): number | undefined {
  const times = (status?.allocation?.devices?.results ?? []).flatMap(({ driver, pool, device, tolerations = [] }) => {
    const mine = slices.filter(({ spec }) => spec.driver === driver && spec.pool.name === pool);
    const newest = Math.max(...mine.map(({ spec }) => spec.pool.generation));
    const taints = mine
      .filter(({ spec }) => spec.pool.generation === newest)
      .flatMap(({ spec }) => spec.devices ?? [])
      .filter(({ name }) => name === device)
      .flatMap((one) => one.taints ?? []);
    return taints.flatMap((taint) => leavesAtMs(taint, tolerations, nowMs) ?? []);
  });
  return times.length === 0 ? undefined : Math.min(...times);
}
