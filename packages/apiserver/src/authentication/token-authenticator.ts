import type { UserInfo } from "../contracts.ts";

/** What came of looking at a bearer token. `unknown`: not one that this authenticator knows. */
export type TokenOutcome =
  | {
      readonly kind: "user";
      readonly user: UserInfo;
      /** Those of the audiences asked for that the token is for. */
      readonly audiences: readonly string[];
    }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unknown" };

/** Knows bearer tokens of one kind. */
export interface TokenAuthenticator {
  /** `audiences`: those that the token must be for, at least one of them. A promise only where there is something to wait for. */
  look(token: string, audiences: readonly string[]): TokenOutcome | Promise<TokenOutcome>;
}

/** Not one of ours. */
export const unknownToken: TokenOutcome = { kind: "unknown" };

/** Asks one authenticator after the other until one knows the token; why the others refused it is kept. */
export class TokenUnion implements TokenAuthenticator {
  readonly #authenticators: readonly TokenAuthenticator[];

  constructor(authenticators: readonly TokenAuthenticator[]) {
    this.#authenticators = authenticators;
  }

  look(token: string, audiences: readonly string[]): TokenOutcome | Promise<TokenOutcome> {
    return this.#ask({ token, audiences }, 0, []);
  }

  #ask(
    asked: { readonly token: string; readonly audiences: readonly string[] },
    start: number,
    reasons: string[],
  ): TokenOutcome | Promise<TokenOutcome> {
    for (let at = start; at < this.#authenticators.length; at++) {
      const outcome = this.#authenticators[at]?.look(asked.token, asked.audiences) ?? unknownToken;
      if (outcome instanceof Promise) {
        return outcome.then((known) => {
          if (known.kind === "user") return known;
          if (known.kind === "refused") reasons.push(known.why);
          return this.#ask(asked, at + 1, reasons);
        });
      }
      if (outcome.kind === "user") return outcome;
      if (outcome.kind === "refused") reasons.push(outcome.why);
    }
    return reasons.length === 0 ? unknownToken : { kind: "refused", why: reasons.join(", ") };
  }
}

/** For tokens that know no audiences: they are for the API server. */
export function audienceAgnostic(
  own: readonly string[],
  find: (token: string) => UserInfo | undefined,
): TokenAuthenticator {
  return {
    look(token, audiences) {
      const user = find(token);
      if (user === undefined) return unknownToken;
      const common = audiences.filter((audience) => own.includes(audience));
      return common.length === 0 ? unknownToken : { kind: "user", user, audiences: common };
    },
  };
}
