import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import type { OpaqueValue } from "../../values/cel-value.ts";
import { bool, text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { compareText } from "../standard/compare.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";

/** A semantic version (semver.org, version 2). */
interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly pre: readonly string[];
}

const semverType: OpaqueType<Version> = {
  name: "kubernetes.Semver",
  same: (a, b) => compareVersions(a, b) === 0n,
  holds: (content): content is Version =>
    typeof content === "object" && content !== null && "major" in content && "pre" in content,
};

const number = "(0|[1-9]\\d*)";
const identifier = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const form = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/** Takes a leading `v` away, and leading zeros, and adds parts that are missing. */
function normalized(value: string): string {
  const [numbers = "", rest = ""] = /^([0-9.]*)(.*)$/s.exec(value.replace(/^v/, ""))?.slice(1) ?? [];
  const parts = numbers.split(".").map((part) => part.replace(/^0+(?=\d)/, ""));
  while (parts.length < 3) parts.push("0");
  return parts.join(".") + rest;
}

function parseVersion(value: string, lenient: boolean): Version | undefined {
  const found = form.exec(lenient ? normalized(value) : value);
  if (found === null) return undefined;
  const [, major = "0", minor = "0", patch = "0", pre] = found;
  return {
    major: BigInt(major),
    minor: BigInt(minor),
    patch: BigInt(patch),
    pre: pre === undefined ? [] : pre.split("."),
  };
}

function required(value: string, lenient: boolean): Opaque<Version> {
  const version = parseVersion(value, lenient);
  if (version === undefined) throw new EvaluationError(`Invalid semantic version ${JSON.stringify(value)}`);
  return new Opaque(semverType, version);
}

/** The value of a text in the form of semantic versions. Throws `EvaluationError` for another. */
export const semverValue = (text: string): OpaqueValue => required(text, false);

const orderOf = (a: bigint, b: bigint): bigint => (a < b ? -1n : a > b ? 1n : 0n);

function compareVersions(a: Version, b: Version): bigint {
  const order = orderOf(a.major, b.major) || orderOf(a.minor, b.minor) || orderOf(a.patch, b.patch);
  if (order !== 0n) return order;
  if (a.pre.length === 0 || b.pre.length === 0) return orderOf(BigInt(b.pre.length), BigInt(a.pre.length));
  for (const [index, one] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1n;
    const parts = comparePre(one, other);
    if (parts !== 0n) return parts;
  }
  return orderOf(BigInt(a.pre.length), BigInt(b.pre.length));
}

/** Numbers come before words, and in their own order. */
function comparePre(a: string, b: string): bigint {
  const numeric = [a, b].map((one) => /^\d+$/.test(one));
  if (numeric[0] === true && numeric[1] === true) return orderOf(BigInt(a), BigInt(b));
  if (numeric[0] !== numeric[1]) return numeric[0] === true ? -1n : 1n;
  return BigInt(Math.sign(compareText(a, b)));
}

const of = (value: Parameters<Overload["call"]>[0][number] | undefined): Version => contentOf(semverType, value);

/** `semver(…)` and what it has. */
export const semverFunctions: readonly Overload[] = [
  overload("string_to_semver", "semver(string): kubernetes.Semver", ([a]) => required(text(a), false)),
  overload("string_bool_to_semver", "semver(string, bool): kubernetes.Semver", ([a, b]) => required(text(a), bool(b))),
  overload("is_semver_string", "isSemver(string): bool", ([a]) => parseVersion(text(a), false) !== undefined),
  overload(
    "is_semver_string_bool",
    "isSemver(string, bool): bool",
    ([a, b]) => parseVersion(text(a), bool(b)) !== undefined,
  ),
  overload("semver_major", "kubernetes.Semver.major(): int", ([a]) => of(a).major),
  overload("semver_minor", "kubernetes.Semver.minor(): int", ([a]) => of(a).minor),
  overload("semver_patch", "kubernetes.Semver.patch(): int", ([a]) => of(a).patch),
  overload(
    "semver_is_greater_than",
    "kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool",
    ([a, b]) => compareVersions(of(a), of(b)) > 0n,
  ),
  overload(
    "semver_is_less_than",
    "kubernetes.Semver.isLessThan(kubernetes.Semver): bool",
    ([a, b]) => compareVersions(of(a), of(b)) < 0n,
  ),
  overload("semver_compare_to", "kubernetes.Semver.compareTo(kubernetes.Semver): int", ([a, b]) =>
    compareVersions(of(a), of(b)),
  ),
];
