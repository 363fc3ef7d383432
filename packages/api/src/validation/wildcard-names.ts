import { formMessage } from "./names.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const form = `\\*\\.${label}(\\.${label})*`;
const pattern = new RegExp(`^${form}$`);

/** `*.example.com`: every name directly below a domain. */
export function wildcardSubdomain(value: string): string[] {
  const errors = Buffer.byteLength(value) > 253 ? ["must be no more than 253 bytes"] : [];
  if (pattern.test(value)) return errors;
  const text =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...errors, formMessage(text, form, ["*.example.com"])];
}
