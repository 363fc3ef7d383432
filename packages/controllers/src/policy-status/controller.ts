import { CustomResourceDefinitions, isNotFound, ValidatingAdmissionPolicies } from "@skiff/api";
import { defineController, done } from "@skiff/control-loop";

/**
 * Checks the expressions of ValidatingAdmissionPolicies against the types of the objects that they are for, and writes what
 * does not fit into their status. https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
 */
export const policyStatusController = defineController({
  name: "validatingadmissionpolicy-status",
  for: ValidatingAdmissionPolicies,
  async reconcile(policy, { client, signal }) {
    const { generation = 0, deletionTimestamp } = policy.metadata;
    if (deletionTimestamp !== undefined || (policy.status?.observedGeneration ?? 0) >= generation) return done;
    // The engine is loaded with the first policy: most clusters have none.
    const { expressionWarnings, kindsOf, paramsTypeOf } = await import("./plan.ts");
    const source = {
      definition: (group: string, plural: string) =>
        client.get(CustomResourceDefinitions, { name: `${plural}.${group}` }, { signal }).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        }),
      definitionOfKind: async (group: string, kind: string) => {
        const { items } = await client.list(CustomResourceDefinitions, { signal });
        return items.find(({ spec }) => spec.group === group && spec.names.kind === kind);
      },
    };
    const [kinds, paramsType] = await Promise.all([kindsOf(policy, source), paramsTypeOf(policy, source)]);
    const warnings = expressionWarnings(policy, kinds, paramsType);
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
    const status = { ...policy.status, observedGeneration: generation, typeChecking };
    await client.updateStatus(ValidatingAdmissionPolicies, { ...policy, status }, { signal });
    return done;
  },
});
