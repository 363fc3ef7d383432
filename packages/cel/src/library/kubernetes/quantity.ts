import { formatQuantity, parseQuantity, type Quantity, QuantityError } from "@skiff/api";
import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import type { OpaqueValue } from "../../values/cel-value.ts";
import { maxInt, minInt } from "../../values/uint.ts";
import { int, text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";

const nano = 1_000_000_000n;

const quantityType: OpaqueType<Quantity> = {
  name: "kubernetes.Quantity",
  same: (a, b) => a.nanos === b.nanos,
  holds: (content): content is Quantity =>
    typeof content === "object" && content !== null && "nanos" in content && "format" in content,
};

/** A quantity that is known already. */
export const quantityValue = (content: Quantity): OpaqueValue => made(content);

const made = (content: Quantity): Opaque<Quantity> => new Opaque(quantityType, content);
const of = (value: Parameters<Overload["call"]>[0][number] | undefined): Quantity => contentOf(quantityType, value);

function parsed(value: string): Quantity {
  try {
    return parseQuantity(value);
  } catch (error) {
    if (error instanceof QuantityError) throw new EvaluationError(error.message);
    throw error;
  }
}

function isQuantity(value: string): boolean {
  try {
    parseQuantity(value);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

const isInteger = ({ nanos }: Quantity): boolean =>
  nanos % nano === 0n && nanos / nano >= minInt && nanos / nano <= maxInt;

function asInteger(quantity: Quantity): bigint {
  if (!isInteger(quantity)) throw new EvaluationError("cannot convert value to integer");
  return quantity.nanos / nano;
}

const order = (a: Quantity, b: Quantity): bigint => (a.nanos < b.nanos ? -1n : a.nanos > b.nanos ? 1n : 0n);
const moved = (a: Quantity, nanos: bigint): Opaque<Quantity> => made({ ...a, nanos: a.nanos + nanos });

/** `quantity(…)` and what it has. */
export const quantityFunctions: readonly Overload[] = [
  overload("string_to_quantity", "quantity(string): kubernetes.Quantity", ([a]) => made(parsed(text(a)))),
  overload("is_quantity_string", "isQuantity(string): bool", ([a]) => isQuantity(text(a))),
  overload("quantity_sign", "kubernetes.Quantity.sign(): int", ([a]) =>
    order(of(a), { nanos: 0n, format: "decimalSI" }),
  ),
  overload("quantity_is_integer", "kubernetes.Quantity.isInteger(): bool", ([a]) => isInteger(of(a))),
  overload("quantity_as_integer", "kubernetes.Quantity.asInteger(): int", ([a]) => asInteger(of(a))),
  overload("quantity_as_float", "kubernetes.Quantity.asApproximateFloat(): double", ([a]) => Number(of(a).nanos) / 1e9),
  overload("quantity_add_quantity", "kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity", ([a, b]) =>
    moved(of(a), of(b).nanos),
  ),
  overload("quantity_add_int", "kubernetes.Quantity.add(int): kubernetes.Quantity", ([a, b]) =>
    moved(of(a), int(b) * nano),
  ),
  overload("quantity_sub_quantity", "kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity", ([a, b]) =>
    moved(of(a), -of(b).nanos),
  ),
  overload("quantity_sub_int", "kubernetes.Quantity.sub(int): kubernetes.Quantity", ([a, b]) =>
    moved(of(a), -int(b) * nano),
  ),
  overload(
    "quantity_is_greater_than",
    "kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool",
    ([a, b]) => order(of(a), of(b)) > 0n,
  ),
  overload(
    "quantity_is_less_than",
    "kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool",
    ([a, b]) => order(of(a), of(b)) < 0n,
  ),
  overload("quantity_compare_to", "kubernetes.Quantity.compareTo(kubernetes.Quantity): int", ([a, b]) =>
    order(of(a), of(b)),
  ),
  overload("quantity_to_string", "string(kubernetes.Quantity): string", ([a]) => formatQuantity(of(a))),
];
