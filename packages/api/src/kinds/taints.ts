import type { Taint, Toleration } from "../generated/types/core-v1.ts";

/**
 * True when a toleration covers a taint. An empty key, effect or operator stands for all keys, all effects, `Equal`.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator) {
    case undefined:
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    case "Gt":
      return compareIntegers(taint.value, toleration.value, (have, bound) => have > bound);
    case "Lt":
      return compareIntegers(taint.value, toleration.value, (have, bound) => have < bound);
    default:
      return false;
  }
}

function compareIntegers(
  value: string | undefined,
  bound: string | undefined,
  holds: (value: bigint, bound: bigint) => boolean,
): boolean {
  const integer = /^-?[0-9]+$/;
  if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false;
  return holds(BigInt(value), BigInt(bound));
}

/** The first taint that none of the tolerations covers, among those of the given effects. */
export const untoleratedTaint = (
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined =>
  taints?.find(
    (taint) => effects.includes(taint.effect) && !tolerations?.some((toleration) => tolerates(toleration, taint)),
  );
