import assert from "node:assert/strict";
import { test } from "node:test";
import {
  configMapKey,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  dnsSubdomainName,
  envVarName,
  labelValue,
  pathSegmentName,
  qualifiedName,
  relaxedEnvVarName,
} from "./names.ts";

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const nameMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const cases: readonly {
  readonly check: (value: string) => readonly string[];
  readonly value: string;
  readonly messages: readonly string[];
}[] = [
  { check: dnsSubdomain, value: "a.b-c.d", messages: [] },
  { check: dnsSubdomain, value: "Foo", messages: [subdomainMessage] },
  { check: dnsSubdomain, value: "", messages: [subdomainMessage] },
  { check: dnsSubdomain, value: "a".repeat(254), messages: ["must be no more than 253 bytes"] },
  { check: dnsLabel, value: "web-1", messages: [] },
  { check: dnsLabel, value: "a.b", messages: ["must not contain dots"] },
  { check: dnsLabel, value: "-a", messages: [labelMessage] },
  { check: dnsLabel, value: "a".repeat(64), messages: ["must be no more than 63 bytes"] },
  { check: dns1035Label, value: "a1", messages: [] },
  {
    check: dns1035Label,
    value: "1a",
    messages: [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  { check: labelValue, value: "", messages: [] },
  { check: qualifiedName, value: "example.com/Name_1", messages: [] },
  { check: qualifiedName, value: "", messages: ["name part must be non-empty", `name part ${nameMessage}`] },
  { check: qualifiedName, value: "/a", messages: ["prefix part must be non-empty"] },
  { check: qualifiedName, value: "a b", messages: [`name part ${nameMessage}`] },
  { check: qualifiedName, value: "Ex.com/a", messages: [`prefix part ${subdomainMessage}`] },
  {
    check: qualifiedName,
    value: "a/b/c",
    messages: [
      `a qualified name ${nameMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  },
  { check: relaxedEnvVarName, value: "1 ODD:name", messages: [] },
  {
    check: relaxedEnvVarName,
    value: "A=B",
    messages: ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
  },
  { check: envVarName, value: "..A", messages: ["must not start with '..'"] },
  { check: configMapKey, value: "..", messages: ["must not be '..'"] },
  { check: configMapKey, value: "key_1.txt", messages: [] },
  { check: (value) => pathSegmentName(value, false), value: "system:node", messages: [] },
  {
    check: (value) => pathSegmentName(value, false),
    value: "a/b%",
    messages: ["may not contain '/'", "may not contain '%'"],
  },
];

for (const { check, value, messages } of cases) {
  test(`${check.name || "name"} of ${JSON.stringify(value.slice(0, 20))}`, () => {
    assert.deepEqual(check(value), messages);
  });
}

test("a prefix may end in a dash, a name may not", () => {
  assert.deepEqual(dnsSubdomainName("web-", true), []);
  assert.deepEqual(dnsSubdomainName("web-", false), [subdomainMessage]);
});
