import type { Decision } from "../contracts.ts";
import type { AccessAuthorizer, AccessRequest } from "./access.ts";

/** Asks one authorizer after the other until one has an opinion. */
export class UnionAuthorizer implements AccessAuthorizer {
  readonly #authorizers: readonly AccessAuthorizer[];

  constructor(authorizers: readonly AccessAuthorizer[]) {
    this.#authorizers = authorizers;
  }

  authorize(request: AccessRequest): Decision {
    const reasons: string[] = [];
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(request);
      if (decision.kind !== "noOpinion") return decision;
      if (decision.reason !== "") reasons.push(decision.reason);
    }
    return { kind: "noOpinion", reason: reasons.join("\n") };
  }
}

/** `system:masters` may do everything, whatever else is stored: the way back into a cluster that locked itself out. */
export const mastersAuthorizer: AccessAuthorizer = {
  authorize: ({ user }) =>
    user.groups.includes("system:masters") ? { kind: "allowed", reason: "" } : { kind: "noOpinion", reason: "" },
};
