import assert from "node:assert/strict";
import { test } from "node:test";
import { testCreations, testStatusUpdates, testUpdates, testWarnings } from "../../fixtures/rule-tables.ts";
import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from "../../generated/types/networking-v1.ts";
import { IngressClasses, Ingresses, IPAddresses, NetworkPolicies, ServiceCIDRs } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { tableColumns } from "../table-columns.ts";

const metadata = sampleMeta("web");
const { namespace: _namespace, ...clusterMeta } = metadata;
const service = { name: "web", port: { number: 80 } };

const ingress: Ingress = {
  metadata,
  spec: { rules: [{ host: "a.example", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service } }] } }] },
  status: {},
};

testCreations(Ingresses, ingress, [
  [
    "neither rules nor a backend",
    (it) => {
      it.spec = {};
    },
    "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
  ],
  [
    "hosts and paths",
    ({ spec }) => {
      spec.rules = [
        { host: "10.0.0.1", http: { paths: [] } },
        {
          host: "*.example",
          http: {
            paths: [
              { path: "a/../b/.", pathType: "Exact", backend: {} },
              { path: "", pathType: "Any", backend: { service: { name: "", port: { name: "a", number: 1 } } } },
            ],
          },
        },
      ];
      spec.tls = [{ hosts: ["a_b"], secretName: "A" }];
    },
    'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    "spec.rules[0].http.paths: Required value",
    'spec.rules[1].http.paths[0].path: Invalid value: "a/../b/.": must be an absolute path',
    "spec.rules[1].http.paths[0].path: Invalid value: \"a/../b/.\": must not contain '/../'",
    "spec.rules[1].http.paths[0].path: Invalid value: \"a/../b/.\": cannot end with '/.'",
    'spec.rules[1].http.paths[0].backend: Invalid value: "": resource or service backend is required',
    'spec.rules[1].http.paths[1].pathType: Unsupported value: "Any": supported values: "Exact", "ImplementationSpecific", "Prefix"',
    "spec.rules[1].http.paths[1].backend.service.name: Required value",
    'spec.rules[1].http.paths[1].backend: Invalid value: "": cannot set both port name & port number',
    ...['hosts[0]: Invalid value: "a_b"', 'secretName: Invalid value: "A"'].map(
      (start) =>
        `spec.tls[0].${start}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ),
  ],
  [
    "two classes",
    (it) => {
      it.metadata.annotations = { "kubernetes.io/ingress.class": "a" };
      it.spec.ingressClassName = "b";
    },
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
  ],
]);
testWarnings(Ingresses, ingress, [
  [
    "the old annotation",
    (it) => {
      it.metadata.annotations = { "kubernetes.io/ingress.class": "a" };
    },
    `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
  ],
]);
testStatusUpdates(Ingresses, ingress, [
  [
    "where it can be reached",
    () => {},
    ({ status }) => {
      status.loadBalancer = { ingress: [{ ip: "x", hostname: "10.0.0.1" }] };
    },
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[0].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ],
]);

const ingressClass: IngressClass = { metadata: clusterMeta, spec: { controller: "acme.io/proxy" } };

testCreations(IngressClasses, ingressClass, [
  [
    "no domain, a scope without its namespace",
    (it) => {
      it.spec = { controller: "proxy", parameters: { kind: "A", name: "b", scope: "Namespace" } };
    },
    'spec.controller: Invalid value: "proxy": must be a domain-prefixed path (such as "acme.io/foo")',
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
]);
testUpdates(IngressClasses, ingressClass, [
  [
    "another controller",
    ({ spec }) => {
      spec.controller = "acme.io/other";
    },
    'spec.controller: Invalid value: "acme.io/other": field is immutable',
  ],
]);

const policy: NetworkPolicy = { metadata, spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } };

testCreations(NetworkPolicies, policy, [
  [
    "ports and peers",
    ({ spec }) => {
      spec.ingress = [
        {
          ports: [{ endPort: 2 }, { port: "web", endPort: 2 }, { port: 80, endPort: 79, protocol: "ICMP" }],
          from: [{}, { podSelector: {}, ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/24", "10.1.0.0/8"] } }],
        },
      ];
      spec.policyTypes = ["Ingress", "Both"];
    },
    "spec.ingress[0].ports[0].endPort: Invalid value: 2: may not be specified when `port` is not specified",
    "spec.ingress[0].ports[1].endPort: Invalid value: 2: may not be specified when `port` is non-numeric",
    'spec.ingress[0].ports[2].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
    "spec.ingress[0].ports[2].endPort: Invalid value: 80: must be greater than or equal to `port`",
    "spec.ingress[0].from[0]: Required value: must specify a peer",
    'spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: "11.0.0.0/24": must be a strict subset of `cidr`',
    'spec.ingress[0].from[1].ipBlock.except[1]: Invalid value: "10.1.0.0/8": must be a strict subset of `cidr`',
    "spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer",
    'spec.policyTypes[1]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
  ],
]);

const address: IPAddress = {
  metadata: { ...clusterMeta, name: "10.0.0.1" },
  spec: { parentRef: { resource: "services", namespace: "default", name: "web" } },
};

testCreations(IPAddresses, address, [
  [
    "nothing that it belongs to",
    (it) => {
      it.spec = { parentRef: { group: "", resource: "", name: "a/b" } };
    },
    "spec.parentRef.resource: Required value",
    "spec.parentRef.name: Invalid value: \"a/b\": may not contain '/'",
  ],
]);
testUpdates(IPAddresses, address, [
  [
    "another parent",
    ({ spec }) => {
      spec.parentRef.name = "other";
    },
    'spec.parentRef: Invalid value: {"resource":"services","namespace":"default","name":"other"}: field is immutable',
  ],
]);

test("names of addresses are canonical", () => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    ["10.0.0.1"],
    ["2001:db8::1"],
    ["x", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
    ["2001:DB8:0::1", 'must be in canonical form ("2001:db8::1")'],
    ["::ffff:1.2.3.4", "must not be an IPv4-mapped IPv6 address"],
  ];
  for (const [name, ...found] of cases) assert.deepEqual(IPAddresses.validateName(name, false), found, name);
  const [, parent] = tableColumns(IPAddresses);
  assert.equal(parent?.value(address, { nowMs: 0 }), "services/default/web");
});

const ranges: ServiceCIDR = { metadata: clusterMeta, spec: { cidrs: ["10.96.0.0/16"] }, status: {} };

testCreations(ServiceCIDRs, ranges, [
  [
    "none",
    (it) => {
      it.spec = { cidrs: [] };
    },
    "spec.cidrs: Required value: at least one CIDR required",
  ],
  [
    "two of a family",
    (it) => {
      it.spec = { cidrs: ["10.96.0.0/16", "10.97.0.0/16"] };
    },
    'spec.cidrs: Invalid value: ["10.96.0.0/16","10.97.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
  ],
  [
    "bits beyond the prefix",
    (it) => {
      it.spec = { cidrs: ["10.96.1.0/16", "2001:db8:0::/64"] };
    },
    'spec.cidrs[0]: Invalid value: "10.96.1.0/16": must not have bits set beyond the prefix length',
    'spec.cidrs[1]: Invalid value: "2001:db8:0::/64": must be in canonical form ("2001:db8::/64")',
  ],
]);
testUpdates(ServiceCIDRs, ranges, [
  [
    "a second family",
    ({ spec }) => {
      spec.cidrs = ["10.96.0.0/16", "2001:db8::/108"];
    },
  ],
  [
    "another range",
    ({ spec }) => {
      spec.cidrs = ["10.97.0.0/16"];
    },
    'spec.cidrs[0]: Invalid value: "10.97.0.0/16": field is immutable',
  ],
]);
