import { fieldError } from "../field-error.ts";
import { type Findings, invalidFor } from "./checks.ts";
import { dnsSubdomain, formMessage } from "./names.ts";

const pathForm = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathPattern = new RegExp(`^${pathForm}$`);

/** A path below somebody's domain: `acme.io/foo`. */
export function* checkDomainPath(field: string, value: string): Findings {
  if (value === "") return yield fieldError.required(field);
  const slash = value.indexOf("/");
  const [domain, path] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (domain === "" || path === "") {
    return yield fieldError.invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")');
  }
  yield* invalidFor(field, domain, dnsSubdomain(domain));
  if (!pathPattern.test(path)) yield fieldError.invalid(field, path, formMessage("Invalid path", pathForm, []));
}
