/** Query parameters, from a URL or from a call in process. */
export interface Query {
  get(name: string): string | null | undefined;
}

/** The query of a call in process. */
export const queryOf = (parameters: Readonly<Record<string, string>> | undefined): Query => ({
  get: (name) => parameters?.[name],
});

/** `true` and `1` switch on; everything else that is there switches off; absent is `undefined`. */
export function flag(query: Query, name: string): boolean | undefined {
  const text = query.get(name);
  return text === null || text === undefined ? undefined : text === "true" || text === "1" || text === "True";
}

/** A whole number, or `undefined` where there is none (or something else). */
export function wholeNumber(query: Query, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === undefined || !/^-?\d{1,15}$/.test(text) ? undefined : Number(text);
}
