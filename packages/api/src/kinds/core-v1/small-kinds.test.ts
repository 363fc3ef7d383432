import assert from "node:assert/strict";
import { test } from "node:test";
import { type FieldError, fieldErrorText } from "../../field-error.ts";
import type { Event, Node } from "../../generated/types/core-v1.ts";
import {
  ConfigMaps,
  Deployments,
  EndpointSlices,
  Events,
  Leases,
  LimitRanges,
  Namespaces,
  Nodes,
  ReplicaSets,
  Secrets,
} from "../definitions.ts";
import { sampleDeployment, sampleMeta, sampleNode, sampleSecret } from "../sample-objects.ts";
import { Endpoints } from "./endpoints.ts";

const metadata = sampleMeta("a");
const nodeWith = (change: (node: Node) => void) => sampleNode(change);
const declaring = (...declaredFeatures: string[]) =>
  nodeWith((node) => {
    node.status = { ...node.status, declaredFeatures };
  });
const event = (change: Partial<Event>): Event => ({ metadata, involvedObject: { namespace: "default" }, ...change });
const { namespace: _namespace, ...clusterMeta } = metadata;

const cases: readonly {
  readonly name: string;
  readonly found: () => readonly FieldError[];
  readonly texts: readonly string[];
}[] = [
  {
    name: "node that declares what nobody would",
    found: () => Nodes.validateStatusUpdate(declaring("B", "A", "A", "b/C", `C/${"c".repeat(252)}`), sampleNode()),
    texts: [
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
      'status.declaredFeatures[2]: Duplicate value: "A"',
      `status.declaredFeatures[3]: Invalid value: "b/C": invalid feature name "b/C": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
      `status.declaredFeatures[4]: Invalid value: "C/${"c".repeat(252)}": list must be sorted alphabetically`,
      `status.declaredFeatures[4]: Invalid value: "C/${"c".repeat(252)}": invalid feature name "C/${"c".repeat(252)}": must be no more than 253 characters`,
    ],
  },
  {
    name: "node that declares what it may",
    found: () => Nodes.validate(declaring("A", "A/b", "B")),
    texts: [],
  },
  {
    name: "deployment that selects other pods",
    found: () =>
      Deployments.validate(
        sampleDeployment(({ spec }) => {
          spec.selector = { matchLabels: { app: "x" } };
        }),
      ),
    texts: ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
  },
  {
    name: "deployment that selects all pods",
    found: () =>
      Deployments.validate(
        sampleDeployment(({ spec }) => {
          spec.selector = {};
        }),
      ),
    texts: ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
  },
  {
    name: "deployment that cannot move",
    found: () =>
      Deployments.validate(
        sampleDeployment(({ spec }) => {
          spec.strategy = { rollingUpdate: { maxUnavailable: 0, maxSurge: "0%" } };
          spec.progressDeadlineSeconds = 5;
          spec.minReadySeconds = 5;
        }),
      ),
    texts: [
      "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
      "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
    ],
  },
  {
    name: "deployment with a new selector",
    found: () =>
      Deployments.validateUpdate(
        sampleDeployment(({ spec }) => {
          spec.selector = { matchLabels: { a: "b" } };
        }),
        sampleDeployment(),
      ),
    texts: ['spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable'],
  },
  {
    name: "replica set of pods that may end",
    found: () => {
      const { spec } = sampleDeployment(({ spec: it }) => {
        if (it.template.spec) it.template.spec.restartPolicy = "Never";
      });
      const set = { metadata, spec: { selector: spec.selector, template: spec.template }, status: { replicas: 0 } };
      return ReplicaSets.validate(set);
    },
    texts: ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  },
  {
    name: "replica set that counts wrongly",
    found: () => {
      const set = { metadata, spec: { selector: {} }, status: { replicas: 1, readyReplicas: 2 } };
      return ReplicaSets.validateStatusUpdate(set, set);
    },
    texts: ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"],
  },
  {
    name: "config map keys",
    found: () => ConfigMaps.validate({ metadata, data: { "a/b": "", c: "" }, binaryData: { c: "" } }),
    texts: [
      "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'data[c]: Invalid value: "c": duplicate of key present in binaryData',
    ],
  },
  {
    name: "sealed config map",
    found: () =>
      ConfigMaps.validateUpdate({ metadata, data: { a: "2" } }, { metadata, data: { a: "1" }, immutable: true }),
    texts: [
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set",
    ],
  },
  {
    name: "secret without what its type needs",
    found: () =>
      Secrets.validate(
        sampleSecret((it) => {
          it.type = "kubernetes.io/tls";
        }),
      ),
    texts: ["data[tls.crt]: Required value", "data[tls.key]: Required value"],
  },
  {
    name: "secret of another type",
    found: () =>
      Secrets.validateUpdate(
        sampleSecret((it) => {
          it.type = "x.io/y";
        }),
        sampleSecret(),
      ),
    texts: ['type: Invalid value: "x.io/y": field is immutable'],
  },
  {
    name: "credentials that are no JSON are not shown",
    found: () =>
      Secrets.validate(
        sampleSecret((it) => {
          it.type = "kubernetes.io/dockerconfigjson";
          it.stringData = { ".dockerconfigjson": "secret" };
        }),
      ),
    texts: [
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character looking for beginning of value',
    ],
  },
  {
    name: "namespace finalizers",
    found: () => Namespaces.validate({ metadata: clusterMeta, spec: { finalizers: ["mine"] }, status: {} }),
    texts: [
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    name: "namespace phase",
    found: () => {
      const namespace = { metadata: clusterMeta, spec: {}, status: { phase: "Terminating" } };
      return Namespaces.validateStatusUpdate(namespace, namespace);
    },
    texts: ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"],
  },
  {
    name: "node taints",
    found: () =>
      Nodes.validate(
        nodeWith(({ spec }) => {
          spec.taints = [
            { key: "a", effect: "NoSchedule" },
            { key: "a", effect: "NoSchedule" },
            { key: "b", effect: "Never" },
          ];
        }),
      ),
    texts: [
      'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      'metadata.taints[2].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  },
  {
    name: "node range, given once",
    found: () =>
      Nodes.validateUpdate(
        nodeWith(({ spec }) => {
          spec.podCIDR = "10.2.0.0/24";
        }),
        nodeWith(({ spec }) => {
          spec.podCIDR = "10.1.0.0/24";
        }),
      ),
    texts: ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  },
  {
    name: "endpoints nowhere",
    found: () =>
      Endpoints.validate({
        metadata,
        subsets: [{}, { addresses: [{ ip: "169.254.0.1" }], ports: [{ port: 0, protocol: "TCP" }] }],
      }),
    texts: [
      "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
      'subsets[1].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      "subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ],
  },
  {
    name: "slice of the wrong family",
    found: () => EndpointSlices.validate({ metadata, addressType: "IPv4", endpoints: [{ addresses: ["fd00::1"] }] }),
    texts: ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address'],
  },
  {
    name: "slice of another family",
    found: () => EndpointSlices.validateUpdate({ metadata, addressType: "IPv6" }, { metadata, addressType: "IPv4" }),
    texts: ['addressType: Invalid value: "IPv6": field is immutable'],
  },
  {
    name: "lease without end",
    found: () => Leases.validate({ metadata, spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }),
    texts: [
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
      "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ],
  },
  {
    name: "event elsewhere",
    found: () => Events.validate(event({ involvedObject: { namespace: "other" } })),
    texts: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  },
  {
    name: "event of the newer form",
    found: () =>
      Events.validate(event({ eventTime: "2026-01-02T03:04:05.000000Z", reportingComponent: "x.io/y", reason: "r" })),
    texts: ["reportingInstance: Required value", "action: Required value"],
  },
];

for (const { name, found, texts } of cases) {
  test(name, () => assert.deepEqual(found().map(fieldErrorText), texts));
}

test("limits and requests follow from each other", () => {
  const range = {
    metadata,
    spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { cpu: "1", memory: "1Mi" } }] },
  };
  LimitRanges.defaults(range);
  assert.deepEqual(range.spec.limits, [
    {
      type: "Container",
      max: { cpu: "2" },
      min: { cpu: "1", memory: "1Mi" },
      default: { cpu: "2" },
      defaultRequest: { cpu: "2", memory: "1Mi" },
    },
  ]);
});
