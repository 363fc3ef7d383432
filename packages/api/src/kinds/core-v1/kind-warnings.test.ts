/** What is warned of in small kinds, and the rules of both forms of events. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { created, foundOnCreate, testCreations, testUpdates, testWarnings } from "../../fixtures/rule-tables.ts";
import type { Endpoints, Event, Node, Secret, ServiceAccount } from "../../generated/types/core-v1.ts";
import type { EndpointSlice } from "../../generated/types/discovery-v1.ts";
import type { DynamicObject } from "../../object.ts";
import * as kinds from "../definitions.ts";
import { sampleMeta, sampleNode, sampleSecret } from "../sample-objects.ts";
import { keyPairProblem } from "./key-pair-problem.ts";

const certificate = `-----BEGIN CERTIFICATE-----
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
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = privateKey.export({ format: "pem", type: "sec1" }).toString();
const rsaKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs8" });
const pem = (type: string) => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`;

test("certificates and keys that do not fit", () => {
  for (const [first, second, problem] of [
    ["", key, "tls: failed to find any PEM data in certificate input"],
    [
      key,
      key,
      "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
    ],
    [
      pem("X") + pem("Y"),
      key,
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [X Y]',
    ],
    [certificate, "", "tls: failed to find any PEM data in key input"],
    [certificate, certificate, "tls: found a certificate rather than a key in the PEM for the private key"],
    [
      certificate,
      pem("X"),
      'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [X]',
    ],
    [pem("CERTIFICATE"), key, "x509: malformed certificate"],
    [certificate, pem("PRIVATE KEY"), "tls: failed to parse private key"],
    [certificate, String(rsaKey), "tls: private key type does not match public key type"],
    [certificate, key, "tls: private key does not match public key"],
  ] as const) {
    assert.equal(keyPairProblem(first, second), problem);
  }
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

testWarnings<Secret>(kinds.Secrets, sampleSecret(), [
  ["nothing", () => {}],
  [
    "a certificate without its key",
    (secret) => {
      secret.type = "kubernetes.io/tls";
      secret.data = { "tls.crt": base64(certificate), "tls.key": base64(key) };
    },
    "tls: private key does not match public key",
  ],
]);

const mountableOnly = "kubernetes.io/enforce-mountable-secrets";

test("service accounts are warned of an annotation once", () => {
  const account: ServiceAccount = { metadata: { ...sampleMeta("a"), annotations: { [mountableOnly]: "true" } } };
  const text = `metadata.annotations[${mountableOnly}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;
  assert.deepEqual(kinds.ServiceAccounts.warnings?.(account), [text]);
  assert.deepEqual(kinds.ServiceAccounts.warnings?.(account, account), []);
});

testWarnings<Node>(kinds.Nodes, sampleNode(), [
  [
    "fields that nothing reads",
    ({ spec }) => Object.assign(spec, { configSource: {}, externalID: "a", podCIDRs: ["FD00::/64"] }),
    "spec.configSource: the feature is removed",
    "spec.externalID: this field is deprecated, and is unused by Kubernetes",
    'spec.podCIDRs[0]: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")',
  ],
]);

testWarnings<Endpoints>(kinds.Endpoints, { metadata: sampleMeta("web") }, [
  [
    "addresses as nobody writes them",
    (endpoints) => {
      endpoints.subsets = [{ addresses: [{ ip: "10.0.0.1" }], notReadyAddresses: [{ ip: "FD00::1" }] }];
    },
    'subsets[0].notReadyAddresses[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ],
]);

const slice: EndpointSlice = {
  metadata: sampleMeta("web"),
  addressType: "IPv6",
  endpoints: [{ addresses: ["fd00::1"] }],
};

testWarnings<EndpointSlice>(kinds.EndpointSlices, slice, [
  ["nothing", () => {}],
  [
    "addresses as nobody writes them",
    ({ endpoints }) => void endpoints?.push({ addresses: ["FD00::1"] }),
    'endpoints[1].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ],
  [
    "names",
    (object) => Object.assign(object, { addressType: "FQDN", endpoints: [{ addresses: ["a.example"] }] }),
    "spec.addressType: FQDN endpoints are deprecated",
  ],
]);

test("endpoint slices lose what they say of topology once endpoints change", () => {
  const topology = { "kubernetes.io/hostname": "a" };
  const resource = kinds.EndpointSlices;
  const sent: EndpointSlice = { ...slice, endpoints: [{ addresses: ["fd00::1"], deprecatedTopology: topology }] };
  assert.deepEqual(created(resource, sent).endpoints, [{ addresses: ["fd00::1"] }]);
  const same = structuredClone(sent);
  resource.prepareUpdate(same, sent, { nowMs: 0 });
  assert.deepEqual(same.endpoints, sent.endpoints);
  const more = structuredClone(sent);
  more.endpoints?.push({ addresses: ["fd00::2"], deprecatedTopology: { "kubernetes.io/hostname": "b" } });
  resource.prepareUpdate(more, sent, { nowMs: 0 });
  assert.deepEqual(more.endpoints, [{ addresses: ["fd00::1"], nodeName: "a" }, { addresses: ["fd00::2"] }]);
});

const eventTime = "2026-01-02T03:04:05.000000Z";
const coreEvent: Event = { metadata: sampleMeta("e"), involvedObject: { namespace: "default" } };

testCreations<Event>(kinds.Events, coreEvent, [
  [
    "a time without the rest",
    (event) => Object.assign(event, { eventTime, reason: "a".repeat(129) }),
    "reportingComponent: Required value",
    'reportingComponent: Invalid value: "": name part must be non-empty',
    "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    "reportingInstance: Required value",
    "action: Required value",
    'reason: Invalid value: "": can have at most 128 characters',
  ],
]);

const event: DynamicObject = {
  metadata: sampleMeta("e"),
  regarding: { namespace: "default" },
  eventTime,
  reportingController: "example.com/reporter",
  reportingInstance: "one",
  action: "Look",
  reason: "Looked",
  type: "Normal",
};

testCreations<DynamicObject>(kinds.EventsV1, event, [
  [
    "what only older events have",
    (object) =>
      Object.assign(object, {
        type: "Odd",
        deprecatedFirstTimestamp: "2026-01-02T03:04:05Z",
        deprecatedCount: 1,
        deprecatedSource: { host: "a" },
        series: { count: 1 },
      }),
    'series.count: Invalid value: "": should be at least 2',
    "series.lastObservedTime: Required value",
    'type: Invalid value: "": has invalid value: Odd',
    'firstTimestamp: Invalid value: "": needs to be unset',
    'count: Invalid value: "": needs to be unset',
    'source: Invalid value: "": needs to be unset',
  ],
]);

test("newer events say when they happened", () => {
  const { eventTime: _, ...timeless } = event;
  assert.deepEqual(foundOnCreate(kinds.EventsV1, { ...timeless, metadata: event.metadata }), [
    "eventTime: Required value",
  ]);
});

testUpdates<DynamicObject>(kinds.EventsV1, event, [
  ["a series", (object) => Object.assign(object, { series: { count: 2, lastObservedTime: eventTime } })],
  [
    "a series of one, and another reason",
    (object) => Object.assign(object, { series: { count: 1, lastObservedTime: eventTime }, reason: "Other" }),
    'series.count: Invalid value: "": should be at least 2',
    'reason: Invalid value: "Other": field is immutable',
  ],
]);
