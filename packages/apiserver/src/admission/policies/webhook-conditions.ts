import { refusals } from "@skiff/api";
import type { AccessAuthorizer } from "../../authorization/access.ts";
import type { ResourceTable } from "../../contracts.ts";
import type { MatchConditions } from "../webhooks/match-conditions.ts";

/** Evaluates webhooks' `matchConditions`. The engine is loaded with the first webhook that has some. */
export const webhookConditions = (options: {
  readonly table: ResourceTable;
  readonly authorizer: AccessAuthorizer;
}): MatchConditions => ({
  hold({ webhook }, { request, match }) {
    const { matchConditions = [], failurePolicy } = webhook;
    if (matchConditions.length === 0) return true;
    return (async () => {
      const [{ compiledConditions }, { evaluateConditions }, { evaluateWith }, { viewOf }] = await Promise.all([
        import("./compiled-conditions.ts"),
        import("./evaluation.ts"),
        import("./bindings-of-request.ts"),
        import("./request-views.ts"),
      ]);
      const view = { ...(await viewOf(options, request, match)), namespace: undefined };
      const conditions = compiledConditions(webhook);
      const decision = await evaluateWith(view, undefined, (values) => evaluateConditions(conditions, values));
      if (decision.kind !== "error") return decision.kind === "met";
      if (failurePolicy === "Ignore") return false;
      const { group, plural: kind } = request.resource;
      throw refusals.forbidden({ group, kind, name: request.name }, decision.message);
    })();
  },
});
