import type { MutatingWebhook, ValidatingWebhook } from "@skiff/api";
import { type CompiledExpression, compileConditions } from "@skiff/cel";

const known = new WeakMap<MutatingWebhook | ValidatingWebhook, readonly CompiledExpression[]>();

/** The conditions of a webhook, compiled once for each state of its configuration. */
export function compiledConditions(webhook: MutatingWebhook | ValidatingWebhook): readonly CompiledExpression[] {
  const found = known.get(webhook) ?? compileConditions(webhook.matchConditions ?? [], false);
  known.set(webhook, found);
  return found;
}
