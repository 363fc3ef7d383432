import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from "@skiff/api";
import { timestamp } from "@skiff/base";

/** A condition without the moment that it was set at. */
export type ConditionText = Omit<CustomResourceDefinitionCondition, "lastTransitionTime" | "observedGeneration">;

/** The condition of a type. */
export const conditionOf = (
  { status }: CustomResourceDefinition,
  type: string,
): CustomResourceDefinitionCondition | undefined => status?.conditions?.find((condition) => condition.type === type);

/** True where a condition holds. */
export const holds = (definition: CustomResourceDefinition, type: string): boolean =>
  conditionOf(definition, type)?.status === "True";

/** The conditions with one set anew. Its time tells when it last changed between true and false. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  next: ConditionText,
  nowMs: number,
): CustomResourceDefinitionCondition[] {
  const before = conditions.find(({ type }) => type === next.type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : timestamp(nowMs);
  const made = { ...next, lastTransitionTime };
  return before === undefined ? [...conditions, made] : conditions.map((one) => (one === before ? made : one));
}

/** Equal but for the time. */
export const sameCondition = (a: ConditionText | undefined, b: ConditionText): boolean =>
  a !== undefined && a.status === b.status && a.reason === b.reason && a.message === b.message;
