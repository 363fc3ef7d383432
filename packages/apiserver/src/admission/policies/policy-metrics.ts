import { type Counters, count, countersText } from "../../observe/counters.ts";

/** What a policy's decision came to. */
export type PolicyAction = "allow" | "deny" | "audit" | "warn";

/** Counts decisions of policies under the names that Kubernetes gives them. */
export class PolicyMetrics {
  readonly #validating: Counters = new Map();
  readonly #mutating: Counters = new Map();

  /** `error`: the evaluation failed with this message; absent: it said no. */
  validated(names: { readonly policy: string; readonly binding: string }, action: PolicyAction, error?: string): void {
    count(this.#validating, {
      enforcement_action: action,
      error_type: errorType(error),
      policy: names.policy,
      policy_binding: names.binding,
    });
  }

  mutated({ policy, binding }: { readonly policy: string; readonly binding: string }, error?: string): void {
    count(this.#mutating, { error_type: errorType(error), policy, policy_binding: binding });
  }

  text(): string {
    return [
      countersText(
        "apiserver_validating_admission_policy_check_total",
        "Decisions of validating policies.",
        this.#validating,
      ),
      countersText(
        "apiserver_mutating_admission_policy_check_total",
        "Decisions of mutating policies.",
        this.#mutating,
      ),
    ].join("");
  }
}

function errorType(message: string | undefined): string {
  if (message === undefined) return "no_error";
  if (message.startsWith("compilation")) return "compile_error";
  if (message.startsWith("validation failed due to running out of cost budget")) return "out_of_budget";
  return "invalid_error";
}
