import { type Deployment, scaledValue } from "@skiff/api";

/** How many pods a rollout may have too many, and how many too few, in numbers. */
export interface Leeway {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export const desiredOf = ({ spec }: Deployment): number => spec.replicas ?? 1;

export const isRollingUpdate = ({ spec }: Deployment): boolean => spec.strategy?.type === "RollingUpdate";

/** Percentages become numbers: surge rounded up, unavailable down, and not both zero, or nothing could move. */
export function leewayOf(deployment: Deployment): Leeway {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const desired = desiredOf(deployment);
  const { maxSurge = 0, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, "up");
  const unavailable = scaledValue(maxUnavailable, desired, "down");
  if (desired === 0) return { maxSurge: surge, maxUnavailable: 0 };
  return { maxSurge: surge, maxUnavailable: Math.min(desired, surge === 0 && unavailable === 0 ? 1 : unavailable) };
}
