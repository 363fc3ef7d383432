/** What a reconciliation asks for. A thrown error asks for another attempt after a growing delay. */
export type Outcome =
  | { readonly kind: "done" }
  /** Reconcile again after the delay even if nothing changes until then. */
  | { readonly kind: "again"; readonly delayMs: number };

/** Nothing more to do until something changes. */
export const done: Outcome = { kind: "done" };

/** Time itself will change something: look again in `delayMs`. */
export const againIn = (delayMs: number): Outcome => ({ kind: "again", delayMs });
