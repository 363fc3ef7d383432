/** How a quantity was written, and so is written again. */
export type QuantityFormat = "decimalSI" | "binarySI" | "decimalExponent";

/** An exact amount: a whole number of nano units. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** Why a text is not a quantity, in Kubernetes' words. */
export class QuantityError extends Error {
  override name = "QuantityError";
}
export function parseQuantity(_text: string): Quantity {
  throw new Error("not yet");
}
export function formatQuantity(_quantity: Quantity): string {
  throw new Error("not yet");
}
/** Canonical text: `1000m` → `1`. Throws `QuantityError`. */
export function canonicalQuantity(_text: string): string {
  throw new Error("not yet");
}
/** Thousandths, rounded up: `1` → 1000, `250m` → 250. */
export function asMillis(_quantity: string | Quantity | undefined): number {
  throw new Error("not yet");
}
/** Whole units, rounded up: bytes of a memory quantity, pieces of a count. */
export function asUnits(_quantity: string | Quantity | undefined): number {
  throw new Error("not yet");
}
export function compareQuantities(_a: string | Quantity, _b: string | Quantity): number {
  throw new Error("not yet");
}
export function addQuantities(_a: string | Quantity, _b: string | Quantity): string {
  throw new Error("not yet");
}
export function subtractQuantities(_a: string | Quantity, _b: string | Quantity): string {
  throw new Error("not yet");
}
