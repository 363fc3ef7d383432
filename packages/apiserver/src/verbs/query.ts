import { refusals } from "@skiff/api";

/** Query parameters, from a URL or from a call in process. */
export interface Query {
  get(name: string): string | null | undefined;
  /** All values of a parameter that is repeated; absent where none can be. */
  getAll?(name: string): string[];
}

/** The values of a parameter that may have several: none where it is absent or empty. */
export function values(query: Query, name: string): readonly string[] {
  const first = query.get(name) ?? "";
  const all = query.getAll?.(name) ?? [first];
  return all.length === 1 && first === "" ? [] : all;
}

/** The query of an address without one. */
export const noQuery: Query = { get: () => undefined };

/** The query of a call in process. */
export const queryOf = (parameters: Readonly<Record<string, string>> | undefined): Query => ({
  get: (name) => parameters?.[name],
});

/** `false` and `0` switch off; everything else that is there, even nothing, switches on; absent is `undefined`. */
export function flag(query: Query, name: string): boolean | undefined {
  const text = query.get(name);
  return text === null || text === undefined ? undefined : text !== "0" && text.toLowerCase() !== "false";
}

/** A whole number, or `undefined` where there is none. Throws 400 for what is no number of 64 bits. */
export function wholeNumber(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === undefined) return undefined;
  const refuse = (why: string) => refusals.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuse("invalid syntax");
  if (BigInt.asIntN(64, BigInt(text.replace("+", ""))) !== BigInt(text.replace("+", "")))
    throw refuse("value out of range");
  return Number(text);
}
