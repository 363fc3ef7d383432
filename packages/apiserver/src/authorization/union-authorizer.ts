import type { Decision, UserInfo } from "../contracts.ts";
import type { AccessAuthorizer, AccessRequest } from "./access.ts";

/** Asks one authorizer after the other until one has an opinion. */
export class UnionAuthorizer implements AccessAuthorizer {
  readonly #authorizers: readonly AccessAuthorizer[];

  constructor(authorizers: readonly AccessAuthorizer[]) {
    this.#authorizers = authorizers;
  }

  authorize(request: AccessRequest): Decision | Promise<Decision> {
    return this.#ask(request, 0, []);
  }

  /** What its members cannot tell of a user. */
  unlistedOf(user: UserInfo): readonly string[] {
    return this.#authorizers.flatMap((authorizer) => authorizer.unlisted?.(user) ?? []);
  }

  /** From the authorizer at `start` on; `reasons` are those of the ones before. */
  #ask(request: AccessRequest, start: number, reasons: string[]): Decision | Promise<Decision> {
    for (let at = start; at < this.#authorizers.length; at++) {
      const decision = this.#authorizers[at]?.authorize(request);
      if (decision instanceof Promise) {
        return decision.then((known) => settled(known, reasons) ?? this.#ask(request, at + 1, reasons));
      }
      const found = decision === undefined ? undefined : settled(decision, reasons);
      if (found !== undefined) return found;
    }
    return { kind: "noOpinion", reason: reasons.join("\n") };
  }
}

/** The decision, if it is one; its reason is kept otherwise. */
function settled(decision: Decision, reasons: string[]): Decision | undefined {
  if (decision.kind !== "noOpinion") return decision;
  if (decision.reason !== "") reasons.push(decision.reason);
  return undefined;
}

/** `system:masters` may do everything, whatever else is stored: the way back into a cluster that locked itself out. */
export const mastersAuthorizer: AccessAuthorizer = {
  authorize: ({ user }) =>
    user.groups.includes("system:masters") ? { kind: "allowed", reason: "" } : { kind: "noOpinion", reason: "" },
};
