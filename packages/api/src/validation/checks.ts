/** Checks that validation of all kinds is made of. Each yields what it finds wrong, nothing where all is well. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { jsonEqual } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import { dnsLabel, dnsSubdomain, qualifiedName, rangeMessage } from "./names.ts";

/** What a check found. */
export type Findings = Iterable<FieldError>;

export const immutableMessage = "field is immutable";
export const notPositiveMessage = "must be greater than zero";
export const notNegativeMessage = "must be greater than or equal to 0";

/** One finding for each message about a value. */
export function* invalidFor(field: string, value: unknown, messages: readonly string[]): Findings {
  for (const message of messages) yield fieldError.invalid(field, value, message);
}

/** Values that Kubernetes lists in the order of the alphabet. */
export const sorted = (values: Iterable<string>): string[] => [...values].sort();

/** A value that must be there and be one of a few. */
export function* checkRequiredChoice(field: string, value: string | undefined, supported: readonly string[]): Findings {
  if (!value) yield fieldError.required(field);
  else yield* checkChoice(field, value, supported);
}

/** A value that must be one of a few, where it is there. */
export function* checkChoice(field: string, value: string | undefined, supported: readonly string[]): Findings {
  if (value !== undefined && !supported.includes(value)) yield fieldError.notSupported(field, value, supported);
}

/** A text that must not be empty. */
export function* checkRequired(field: string, value: string | undefined): Findings {
  if (!value) yield fieldError.required(field);
}

export function* checkNonNegative(field: string, value: number | undefined): Findings {
  if (value !== undefined && value < 0) yield fieldError.invalid(field, value, notNegativeMessage);
}

/** A number from `low` up to and including `high`. */
export function* checkRange(field: string, value: number | undefined, range: readonly [number, number]): Findings {
  if (value === undefined || (value >= range[0] && value <= range[1])) return;
  yield fieldError.invalid(field, value, rangeMessage(...range));
}

export const checkDnsLabel = (field: string, value: string): Findings => invalidFor(field, value, dnsLabel(value));
export const checkDnsSubdomain = (field: string, value: string): Findings =>
  invalidFor(field, value, dnsSubdomain(value));
export const checkQualifiedName = (field: string, value: string): Findings =>
  invalidFor(field, value, qualifiedName(value));

/** True for values that differ at most in what says nothing: an empty text, list or object is as good as none. */
export const sameContent = (value: unknown, other: unknown): boolean =>
  jsonEqual(value, other) || jsonEqual(withoutEmpty(value), withoutEmpty(other));

function withoutEmpty(value: unknown): unknown {
  if (value === "" || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpty(item) ?? {});
  if (typeof value !== "object" || value === undefined) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutEmpty(member)] as const);
  const given = members.filter(([, member]) => member !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** A value that must stay what it was. */
export function* checkImmutable(field: string, value: unknown, old: unknown): Findings {
  if (!sameContent(value, old)) yield fieldError.invalid(field, value, immutableMessage);
}

export function* checkIP(field: string, value: string): Findings {
  if (isIP(value) === 0) {
    yield fieldError.invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
}

/** `10.9.8.0/24`. */
export function* checkCIDR(field: string, value: string): Findings {
  const [address = "", bits = "", ...more] = value.split("/");
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (more.length === 0 && /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= most) return;
  yield fieldError.invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

/** An address that a Service may send packets to: none that means the machine itself or its link. */
export function* checkNonSpecialIP(field: string, value: string): Findings {
  if (isIP(value) === 0) {
    yield fieldError.invalid(field, value, "must be a valid IP address");
    return;
  }
  const address = value.toLowerCase().replace(/^::ffff:(?=[0-9.]+$)/, "");
  const four = isIPv4(address);
  const special: readonly (readonly [boolean, string])[] = [
    [four ? address === "0.0.0.0" : isAllZero(address), `may not be unspecified (${value})`],
    [four ? address.startsWith("127.") : isOne(address), "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    [
      four ? address.startsWith("169.254.") : /^fe[89ab]/.test(address),
      "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    ],
    [
      four ? address.startsWith("224.0.0.") : /^ff[0-9a-f]2:/.test(address),
      "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
    ],
  ];
  for (const [found, message] of special) if (found) yield fieldError.invalid(field, value, message);
}

const isAllZero = (address: string): boolean => /^[0:]+$/.test(address);
const isOne = (address: string): boolean => /^[0:]*:0{0,3}1$/.test(address);

/** A port's number. */
export const checkPort = (field: string, value: number): Findings => checkRange(field, value, [1, 65_535]);

/** The name of a port, as probes and Services use it: at most 15, letters, digits and single dashes inside. */
export function* checkPortName(field: string, value: string): Findings {
  if (value.length > 15) yield fieldError.invalid(field, value, "must be no more than 15 bytes");
  if (!/^[-a-z0-9]+$/.test(value)) {
    const message = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
    yield fieldError.invalid(field, value, message);
  }
  if (!/[a-z]/.test(value)) yield fieldError.invalid(field, value, "must contain at least one letter (a-z)");
  if (value.includes("--")) yield fieldError.invalid(field, value, "must not contain consecutive hyphens");
  if (/^-|-$/.test(value)) yield fieldError.invalid(field, value, "must not begin or end with a hyphen");
}

/** A port by number or by name. */
export const checkPortNumberOrName = (field: string, value: number | string): Findings =>
  typeof value === "number" ? checkPort(field, value) : checkPortName(field, value);

/** User and group ids. */
export const checkId = (field: string, value: number | undefined): Findings =>
  checkRange(field, value, [0, 4_294_967_295]);

/** A path below some directory: relative, without steps back. */
export function* checkDescendingPath(field: string, value: string): Findings {
  if (value.startsWith("/")) yield fieldError.invalid(field, value, "must be a relative path");
  yield* checkNoBacksteps(field, value);
}

export function* checkNoBacksteps(field: string, value: string): Findings {
  if (value.split("/").includes("..")) yield fieldError.invalid(field, value, "must not contain '..'");
}

/** A path of a file that a volume shows: names that begin with `..` are the volume's own. */
export function* checkVolumeFilePath(field: string, value: string): Findings {
  yield* checkDescendingPath(field, value);
  if (value.startsWith("..") && !value.startsWith("../") && value !== "..") {
    yield fieldError.invalid(field, value, "must not start with '..'");
  }
}

/** Names seen so far, so that the second of a kind is found. */
export function* checkUnique(field: string, value: string, seen: Set<string>): Findings {
  if (seen.has(value)) yield fieldError.duplicate(field, value);
  seen.add(value);
}
