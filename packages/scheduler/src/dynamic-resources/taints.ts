import type { DeviceTaint, DeviceToleration } from "@skiff/api";

/** Whether a toleration covers a taint of a device. Without a key it covers all keys, without an effect all effects. */
export const toleratesDeviceTaint = (
  { key, operator = "Equal", value = "", effect }: DeviceToleration,
  taint: DeviceTaint,
): boolean => {
  if (effect !== undefined && effect !== "" && effect !== taint.effect) return false;
  if (key !== undefined && key !== "" && key !== taint.key) return false;
  return operator === "Exists" || value === (taint.value ?? "");
};

/** Whether taints keep a device from being given to a request. */
export const isRepelled = (
  taints: readonly DeviceTaint[] | undefined,
  tolerations: readonly DeviceToleration[],
): boolean =>
  (taints ?? []).some(
    (taint) =>
      (taint.effect === "NoSchedule" || taint.effect === "NoExecute") &&
      !tolerations.some((toleration) => toleratesDeviceTaint(toleration, taint)),
  );
