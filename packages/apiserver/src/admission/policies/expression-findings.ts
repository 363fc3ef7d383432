import {
  type FieldError,
  fieldError,
  type MatchCondition,
  type MutatingAdmissionPolicy,
  type MutatingWebhook,
  type ValidatingAdmissionPolicy,
  type ValidatingWebhook,
} from "@skiff/api";
import { type CompiledExpression, type CompiledVariables, compileConditions } from "@skiff/cel";
import { compileMutatingPolicy } from "./mutating-policies.ts";
import { compilePolicy } from "./validating-decisions.ts";

/** What Kubernetes says of an expression that does not compile. Expressions that are not there are found elsewhere. */
function findingIn(
  field: string,
  expression: CompiledExpression | undefined,
  source: string | undefined,
): FieldError[] {
  if (expression?.kind !== "invalid" || !source?.trim()) return [];
  return [fieldError.invalid(field, source, expression.message)];
}

const inConditions = (
  field: string,
  conditions: readonly MatchCondition[],
  compiled: readonly CompiledExpression[],
): FieldError[] =>
  conditions.flatMap(({ expression }, index) =>
    findingIn(`${field}[${index}].expression`, compiled[index], expression?.trim()),
  );

const inVariables = ({ expressions }: CompiledVariables): FieldError[] =>
  expressions.flatMap(({ expression }, index) =>
    findingIn(`spec.variables[${index}].expression`, expression, expression.source),
  );

/** Findings in the expressions of a ValidatingAdmissionPolicy. */
export function validatingPolicyFindings(policy: ValidatingAdmissionPolicy): readonly FieldError[] {
  if (policy.spec === undefined) return [];
  const compiled = compilePolicy(policy);
  const { matchConditions = [], auditAnnotations = [] } = policy.spec;
  return [
    ...inConditions("spec.matchConditions", matchConditions, compiled.conditions),
    ...inVariables(compiled.variables),
    ...compiled.validations.flatMap(({ rule, expression, message }, index) => [
      ...findingIn(`spec.validations[${index}].expression`, expression, rule.expression),
      ...findingIn(`spec.validations[${index}].messageExpression`, message, rule.messageExpression),
    ]),
    ...compiled.annotations.flatMap(({ expression }, index) =>
      findingIn(
        `spec.auditAnnotations[${index}].valueExpression`,
        expression,
        auditAnnotations[index]?.valueExpression,
      ),
    ),
  ];
}

/** Findings in the expressions of a MutatingAdmissionPolicy. */
export function mutatingPolicyFindings(policy: MutatingAdmissionPolicy): readonly FieldError[] {
  if (policy.spec === undefined) return [];
  const compiled = compileMutatingPolicy(policy);
  return [
    ...inConditions("spec.matchConditions", policy.spec.matchConditions ?? [], compiled.conditions),
    ...inVariables(compiled.variables),
    ...compiled.mutations.flatMap(({ apply, expression }, index) =>
      findingIn(
        `spec.mutations[${index}].${apply ? "applyConfiguration" : "jsonPatch"}.expression`,
        expression,
        expression.source,
      ),
    ),
  ];
}

/** Findings in the match conditions of webhooks. */
export const webhookFindings = (webhooks: readonly (MutatingWebhook | ValidatingWebhook)[]): readonly FieldError[] =>
  webhooks.flatMap(({ matchConditions = [] }, index) =>
    inConditions(`webhooks[${index}].matchConditions`, matchConditions, compileConditions(matchConditions, false)),
  );
