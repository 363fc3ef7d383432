import { fieldError } from "../../field-error.ts";
import type { Findings } from "../../validation/checks.ts";
import { dnsLabel, dnsSubdomain } from "../../validation/names.ts";

const longestDomain = 253;
const longestPath = 253 + 63 + 1;

/** `example.com/signer-name`. */
export function* checkSignerName(field: string, name: string): Findings {
  if (name === "") {
    yield fieldError.required(field);
    return;
  }
  const [domain = "", path, ...more] = name.split("/");
  if (path === undefined || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    yield fieldError.invalid(field, name, why);
    return;
  }
  if (domain.length > longestDomain) yield fieldError.tooLong(field, longestDomain);
  const labels = domain.split(".");
  const wrong = (whole: string, label: string, message: string) =>
    fieldError.invalid(field, whole, `validating label ${JSON.stringify(label)}: ${message}`);
  for (const label of labels) for (const message of dnsLabel(label)) yield wrong(domain, label, message);
  if (labels.length < 2) {
    yield fieldError.invalid(field, domain, "should be a domain with at least two segments separated by dots");
  }
  for (const label of path.split(".")) for (const message of dnsSubdomain(label)) yield wrong(path, label, message);
  const longest = longestDomain + longestPath + 1;
  if (name.length > longest) yield fieldError.tooLong(field, longest);
}
