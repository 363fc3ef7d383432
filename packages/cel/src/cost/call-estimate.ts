import { patternTraversal, traversal } from "../evaluate/call-cost.ts";
import type { Overload } from "../library/overload.ts";
import type { CelType } from "../types/cel-type.ts";
import { exactly, plus, type Range, scaled, times, unknown } from "./range.ts";

/** A parameter of a call as far as it is known: what size it can have, and its elements. */
export interface Sized {
  readonly size: Range;
  readonly type: CelType;
  /** The size of a list's elements, where there are any to know of. */
  readonly elementSize: Range;
}

/** What a call can cost beside its parameters, and how large its result can be. */
export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range;
}

type Estimate = (parameters: readonly Sized[]) => CallEstimate | undefined;

const one = exactly(1);
const nothing: Sized = { size: exactly(0), type: { kind: "dyn" }, elementSize: unknown };
const sizeOf = (parameters: readonly Sized[], index: number): Range => (parameters[index] ?? nothing).size;

const walk =
  (index: number, factor = 1): Estimate =>
  (parameters) => ({ cost: scaled(sizeOf(parameters, index), factor * traversal) });

/** The same, for functions whose result is as long as the text they get. */
const walkSame: Estimate = (parameters) => {
  const size = sizeOf(parameters, 0);
  return { cost: scaled(size, traversal), size };
};

const match = (parameters: readonly Sized[]): Range =>
  times(scaled(plus(sizeOf(parameters, 0), one), traversal), scaled(sizeOf(parameters, 1), patternTraversal));

/** Which form is meant is known only when the expression runs: the dearest. */
const longestPattern = Math.ceil(1000 * patternTraversal);

const find: Estimate = (parameters) => ({ cost: match(parameters), size: { min: 0, max: sizeOf(parameters, 0).max } });

const traverseList: Estimate = ([of = nothing]) => {
  if (of.type.kind !== "list") return { cost: scaled(of.size, traversal) };
  const { kind } = of.type.element;
  const each = kind === "string" || kind === "bytes" ? plus(one, scaled(of.elementSize, traversal)) : one;
  return { cost: times(of.size, each) };
};

const shorter: Estimate = (parameters) => {
  const max = Math.min(sizeOf(parameters, 0).max, sizeOf(parameters, 1).max);
  return { cost: scaled({ min: max > 0 ? 1 : 0, max }, traversal) };
};

const joinedSizes = (parameters: readonly Sized[]): Range => plus(sizeOf(parameters, 0), sizeOf(parameters, 1));
const concatenation: Estimate = (parameters) => {
  const size = joinedSizes(parameters);
  return { cost: scaled(size, traversal), size };
};

const ipSize: Range = { min: 4, max: 16 };
const withinCidr =
  (parses: boolean, masks: boolean): Estimate =>
  (parameters) => {
    const compared = scaled(plus(ipSize, ipSize), traversal);
    const masked = masks ? plus(compared, plus(scaled(ipSize, traversal), one)) : compared;
    return { cost: parses ? plus(masked, scaled(sizeOf(parameters, 1), traversal)) : masked };
  };

const replace: Estimate = (parameters) => {
  const of = sizeOf(parameters, 0);
  const wanted = sizeOf(parameters, 1);
  const by = sizeOf(parameters, 2);
  const longest =
    wanted.min === 0
      ? { count: of.max + 1, kept: of.max }
      : by.max <= wanted.min
        ? { count: 0, kept: of.max }
        : { count: Math.ceil(of.max / wanted.min), kept: 0 };
  const shortest =
    wanted.max === 0
      ? { count: of.min + 1, kept: of.min }
      : wanted.max <= by.min
        ? { count: 0, kept: of.min }
        : { count: Math.ceil(of.min / wanted.max), kept: 0 };
  const replaced = times({ min: shortest.count, max: longest.count }, by);
  return { cost: scaled(of, 2 * traversal), size: plus(replaced, { min: shortest.kept, max: longest.kept }) };
};

const join: Estimate = ([of = nothing, separator]) => {
  const parts = of.type.kind === "list" ? times(of.size, of.elementSize) : exactly(0);
  const gaps = { min: Math.max(0, of.size.min - 1), max: Math.max(0, of.size.max - 1) };
  const size = separator === undefined ? parts : plus(parts, times(separator.size, gaps));
  return { cost: scaled(size, traversal), size };
};

const sets =
  (factor: number): Estimate =>
  (parameters) => ({
    cost: plus(scaled(times(sizeOf(parameters, 0), sizeOf(parameters, 1)), factor), one),
  });

const fixed =
  (cost: number): Estimate =>
  () => ({ cost: exactly(cost) });

const byId: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ["cidr_ip", fixed(1)],
  ["cidr_contains_ip_ip", withinCidr(false, false)],
  ["cidr_contains_ip_string", withinCidr(true, false)],
  ["cidr_contains_cidr", withinCidr(false, true)],
  ["cidr_contains_cidr_string", withinCidr(true, true)],
  [
    "string_to_bytes",
    (all) => ({ cost: scaled(sizeOf(all, 0), traversal), size: times(sizeOf(all, 0), { min: 1, max: 4 }) }),
  ],
  [
    "bytes_to_string",
    (all) => {
      const { min, max } = sizeOf(all, 0);
      return { cost: scaled({ min, max }, traversal), size: { min: Math.floor(min / 4), max } };
    },
  ],
  [
    "strings_quote",
    (all) => ({
      cost: scaled(sizeOf(all, 0), traversal),
      size: plus(times(sizeOf(all, 0), { min: 1, max: 2 }), exactly(2)),
    }),
  ],
  ["string_format", (all) => ({ cost: scaled(sizeOf(all, 0), traversal), size: joinedSizes(all) })],
  ["starts_with_string", walk(1)],
  ["ends_with_string", walk(1)],
  ["in_list", (all) => ({ cost: scaled(sizeOf(all, 1), 1) })],
  ["matches_string", (all) => ({ cost: match(all) })],
  ["contains_string", (all) => ({ cost: times(scaled(sizeOf(all, 0), traversal), scaled(sizeOf(all, 1), traversal)) })],
  ["add_string", concatenation],
  ["add_bytes", concatenation],
  ["add_list", (all) => ({ cost: one, size: joinedSizes(all) })],
  ["equals", shorter],
  ["not_equals", shorter],
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((word): [string, Estimate][] => [
    [`${word}_string`, shorter],
    [`${word}_bytes`, shorter],
  ]),
]);

const byName: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ["check", fixed(350_000)],
  ...["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"].map((name): [string, Estimate] => [
    name,
    traverseList,
  ]),
  ...["lowerAscii", "upperAscii", "substring", "trim"].map((name): [string, Estimate] => [name, walkSame]),
  ...["url", "isURL", "ip", "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"].map(
    (name): [string, Estimate] => [name, walk(0)],
  ),
  ["ip.isCanonical", walk(0, 2)],
  ["replace", replace],
  ["split", (all) => ({ cost: scaled(sizeOf(all, 0), 2 * traversal), size: { min: 0, max: sizeOf(all, 0).max } })],
  ["join", join],
  ["validate", (all) => ({ cost: times(scaled(plus(sizeOf(all, 1), one), traversal), exactly(longestPattern)) })],
  ["find", find],
  ["findAll", find],
  ["sets.contains", sets(1)],
  ["sets.intersects", sets(1)],
  ["sets.equivalent", sets(2)],
]);

/** What one form of a function can cost. */
export function estimateCall(overload: Overload, parameters: readonly Sized[]): CallEstimate {
  const estimate = byId.get(overload.id) ?? byName.get(overload.name);
  return estimate?.(parameters) ?? { cost: one };
}
