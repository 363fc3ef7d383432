import { isIPv4, isIPv6 } from "node:net";

const matching =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

const anything = (): boolean => true;

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const isDateTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?$/.test(text) &&
  isDate(text.slice(0, 10));

function isUri(text: string): boolean {
  try {
    return text.startsWith("/") || new URL(text).protocol !== "";
  } catch {
    return false;
  }
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...more] = text.split("/");
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The checksum of credit cards. */
function isCardNumber(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, "");
  if (!/^\d{13,19}$/.test(digits)) return false;
  let sum = 0;
  for (const [index, digit] of [...digits].reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

function isIsbn(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, "");
  if (/^\d{9}[\dX]$/.test(digits)) {
    const sum = [...digits].reduce(
      (total, digit, index) => total + (10 - index) * (digit === "X" ? 10 : Number(digit)),
      0,
    );
    return sum % 11 === 0;
  }
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

const uuid = (version: string) =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i");
const durationUnits = "(?:ns|us|µs|μs|ms|s|m|h)";
const dnsLabelForm = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";

/** Formats of strings that Kubernetes checks. All others say something to people only. */
const formats: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["bsonobjectid", matching(/^[0-9a-f]{24}$/i)],
  ["uri", isUri],
  ["email", matching(/^[^\s@<>]+@[^\s@<>]+$/)],
  ["hostname", (text) => text.length <= 255 && /^(?=.*[a-z0-9])[a-z0-9_](?:[-a-z0-9_.]*[a-z0-9_])?\.?$/i.test(text)],
  ["ipv4", isIPv4],
  ["ipv6", isIPv6],
  ["cidr", isCidr],
  ["mac", matching(/^(?:[0-9a-f]{2}([-:])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$/i)],
  ["uuid", matching(uuid("[0-9a-f]"))],
  ["uuid3", matching(uuid("3"))],
  ["uuid4", matching(uuid("4"))],
  ["uuid5", matching(uuid("5"))],
  ["isbn", isIsbn],
  ["isbn10", (text) => isIsbn(text) && text.replaceAll(/[ -]/g, "").length === 10],
  ["isbn13", (text) => isIsbn(text) && text.replaceAll(/[ -]/g, "").length === 13],
  ["creditcard", isCardNumber],
  ["ssn", matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ["hexcolor", matching(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i)],
  [
    "rgbcolor",
    matching(/^rgb\(\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(?:,\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/),
  ],
  ["byte", isBase64],
  ["password", anything],
  ["date", isDate],
  [
    "duration",
    matching(
      new RegExp(
        `^(?:[-+]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)${durationUnits})+$|^0$|^\\d+\\s*(?:days?|weeks?|hours?|minutes?|seconds?)$`,
      ),
    ),
  ],
  ["datetime", isDateTime],
  ["date-time", isDateTime],
  ["k8s-short-name", matching(new RegExp(`^${dnsLabelForm}$`))],
  ["k8s-long-name", (text) => text.length <= 253 && new RegExp(`^${dnsLabelForm}(?:\\.${dnsLabelForm})*$`).test(text)],
]);

/** True when a text has a format, or when nobody checks that format. */
export const hasFormat = (text: string, format: string): boolean => formats.get(format)?.(text) ?? true;
