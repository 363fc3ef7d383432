import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import { sampleMeta } from "../sample-objects.ts";
import { ClusterTrustBundles } from "./cluster-trust-bundle.ts";

const authority = `-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIUdCoPYHaoP7g8fcKzqXe6n6E5yBswCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHc29tZS1jYTAgFw0yNjExMjcwNjQ3MjBaGA8yMTI2MTEwMzA2
NDcyMFowEjEQMA4GA1UEAwwHc29tZS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABGkk49IFYSOs6pDi6KBJd8HTjX8sqTXQFz2H1xOGp/Zl9dcAe+sP3cdbYATw
Ewkcli3uPdOq62ATh7oqvHWL2JujUzBRMB0GA1UdDgQWBBTDdpGpWw99vch2HybN
bXzGY6VcGDAfBgNVHSMEGDAWgBTDdpGpWw99vch2HybNbXzGY6VcGDAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIEnzl1+wYlqZHxK7wwB1+anufWC+
BXNFa0ar/I50+EGeAiEAtUM1k3P1grWqsAJ3Zp8E8/G1eJWxHn8NgBuQM21ndEg=
-----END CERTIFICATE-----
`;
const leaf = `-----BEGIN CERTIFICATE-----
MIIBczCCARigAwIBAgIUT5axFqsWbBUqtBLpAVJUhedglvEwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjcwNjQ3MjBaGA8yMTI2MTEwMzA2NDcy
MFowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGkk
49IFYSOs6pDi6KBJd8HTjX8sqTXQFz2H1xOGp/Zl9dcAe+sP3cdbYATwEwkcli3u
PdOq62ATh7oqvHWL2JujUDBOMB0GA1UdDgQWBBTDdpGpWw99vch2HybNbXzGY6Vc
GDAfBgNVHSMEGDAWgBTDdpGpWw99vch2HybNbXzGY6VcGDAMBgNVHRMBAf8EAjAA
MAoGCCqGSM49BAMCA0kAMEYCIQCMXfGhhbwyR0Rgh3TBYpF3HptjqV+4ZJ1D37va
e0v9iwIhAIzdIwQF9XmsFkpJLHGSsjSVS4lyfUgC4bBwgkDILSk0
-----END CERTIFICATE-----
`;
const signerName = "example.com/ca";

test("trust bundles", () => {
  const invalid = 'spec.trustBundle: Invalid value: "<value omitted>": ';
  const cases: readonly (readonly [
    name: string,
    signer: string | undefined,
    bundle: string,
    found: readonly string[],
  ])[] = [
    ["a", undefined, authority, []],
    ["example.com:ca:a", signerName, authority, []],
    [
      "a:b",
      undefined,
      authority,
      ['metadata.name: Invalid value: "a:b": ClusterTrustBundle without signer name must not have ":" in its name'],
    ],
    [
      "a",
      signerName,
      authority,
      [
        'metadata.name: Invalid value: "a": ClusterTrustBundle for signerName example.com/ca must be named with prefix example.com:ca:',
      ],
    ],
    ["a", undefined, "text", [`${invalid}at least one trust anchor must be provided`]],
    ["a", undefined, `${authority}${authority}`, [`${invalid}duplicate trust anchor (indices [0 1])`]],
    ["a", undefined, `${authority}${leaf}`, [`${invalid}entry 1 does not have the CA bit set`]],
    ["a", undefined, authority.replaceAll("CERTIFICATE", "KEY"), [`${invalid}entry 0 has bad block type: KEY`]],
    ["a", undefined, authority.replace(/MII./, "AAAA"), [`${invalid}entry 0 does not parse as X.509`]],
  ];
  for (const [name, signer, trustBundle, found] of cases) {
    const spec = { trustBundle, ...(signer === undefined ? {} : { signerName: signer }) };
    const bundle = { metadata: { ...sampleMeta("a"), name }, spec };
    assert.deepEqual(ClusterTrustBundles.validate(bundle).map(fieldErrorText), found, name);
  }
});
