import {
  dns1035Label,
  dns1035LabelName,
  dnsLabel,
  dnsLabelName,
  dnsSubdomain,
  dnsSubdomainName,
  labelValue,
  qualifiedName,
} from "@skiff/api";
import { none, some } from "../../values/cel-value.ts";
import { listOf } from "../../values/collections.ts";
import { parseTimestamp } from "../../values/times.ts";
import { text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";
import { isUrl } from "./url.ts";

/** A named form of text: what is wrong with a text that does not have it. */
class Format {
  readonly name: string;
  /** How long Kubernetes takes the form's pattern to be, for costs. */
  readonly patternSize: number;
  readonly findings: (value: string) => readonly string[];

  constructor(name: string, patternSize: number, findings: (value: string) => readonly string[]) {
    this.name = name;
    this.patternSize = patternSize;
    this.findings = findings;
  }
}

const formatType: OpaqueType<Format> = {
  name: "kubernetes.NamedFormat",
  same: (a, b) => a.name === b.name,
  size: ({ patternSize }) => patternSize,
  holds: (content): content is Format => content instanceof Format,
};

const unless =
  (test: (value: string) => boolean, message: string) =>
  (value: string): readonly string[] =>
    test(value) ? [] : [message];

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const formats: ReadonlyMap<string, Format> = new Map(
  [
    new Format("dns1123Label", 30, dnsLabel),
    new Format("dns1123Subdomain", 60, dnsSubdomain),
    new Format("dns1035Label", 30, dns1035Label),
    new Format("qualifiedName", 60, qualifiedName),
    new Format("dns1123LabelPrefix", 30, (value) => dnsLabelName(value, true)),
    new Format("dns1123SubdomainPrefix", 60, (value) => dnsSubdomainName(value, true)),
    new Format("dns1035LabelPrefix", 30, (value) => dns1035LabelName(value, true)),
    new Format("labelValue", 40, labelValue),
    new Format("uri", 1000, (value) =>
      isUrl(value) ? [] : [`parse ${JSON.stringify(value)}: invalid URI for request`],
    ),
    new Format(
      "uuid",
      90,
      unless((value) => uuid.test(value), "does not match the UUID format"),
    ),
    new Format(
      "byte",
      80,
      unless((value) => base64.test(value), "invalid base64"),
    ),
    new Format(
      "date",
      200,
      unless((value) => parseTimestamp(`${value}T00:00:00Z`) !== undefined, "invalid date"),
    ),
    new Format(
      "datetime",
      200,
      unless((value) => parseTimestamp(value) !== undefined, "invalid datetime"),
    ),
  ].map((format) => [format.name, format]),
);

const named = (format: Format): Opaque<Format> => new Opaque(formatType, format);

/** `format.dns1123Label().validate(…)` and its kin. */
export const formatLibrary: readonly Overload[] = [
  ...[...formats.values()].map((format) =>
    overload(`format.${format.name}`, `format.${format.name}(): kubernetes.NamedFormat`, () => named(format)),
  ),
  overload("format-named", "format.named(string): optional(kubernetes.NamedFormat)", ([name]) => {
    const format = formats.get(text(name));
    return format === undefined ? none : some(named(format));
  }),
  overload("format-validate", "kubernetes.NamedFormat.validate(string): optional(list(string))", ([format, value]) => {
    const findings = contentOf(formatType, format).findings(text(value));
    return findings.length === 0 ? none : some(listOf(findings));
  }),
];
