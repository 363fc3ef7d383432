import { testWarnings } from "../../fixtures/rule-tables.ts";
import type { Deployment } from "../../generated/types/apps-v1.ts";
import type { Pod, Service } from "../../generated/types/core-v1.ts";
import { Deployments, Pods, Services } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";

const metadata = sampleMeta("web");
const pod: Pod = { metadata, spec: { containers: [{ name: "web", image: "web:1" }] }, status: {} };

testWarnings(Pods, pod, [
  ["nothing to say", () => {}],
  [
    "where it runs",
    ({ spec }) => {
      spec.nodeSelector = { "beta.kubernetes.io/os": "linux" };
      spec.topologySpreadConstraints = [
        {
          maxSkew: 1,
          topologyKey: "failure-domain.beta.kubernetes.io/zone",
          whenUnsatisfiable: "DoNotSchedule",
        },
      ];
      spec.affinity = {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              preference: { matchExpressions: [{ key: "beta.kubernetes.io/arch", operator: "In", values: ["arm64"] }] },
            },
          ],
        },
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone" }] },
      };
    },
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
    'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
    "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod",
  ],
  [
    "volumes",
    ({ spec }) => {
      spec.volumes = [
        { name: "code", gitRepo: { repository: "r" } },
        {
          name: "conf",
          configMap: {
            name: "c",
            items: [
              { key: "a", path: "x" },
              { key: "b", path: "x/y" },
            ],
          },
        },
      ];
    },
    "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
    'volume "conf" (ConfigMap "c"): overlapping paths: "x/y" with "x"',
  ],
  [
    "what is there twice, what is no whole byte",
    ({ spec }) => {
      spec.imagePullSecrets = [{ name: "a" }, { name: "a" }, {}];
      spec.hostAliases = [
        { ip: "::1", hostnames: ["a"] },
        { ip: "0::1", hostnames: ["b"] },
      ];
      spec.containers = [
        {
          name: "web",
          image: "web:1",
          resources: { limits: { memory: "128m" } },
          env: [
            { name: "A", value: "1" },
            { name: "A", value: "2" },
            { name: "B", value: "1" },
            { name: "B", value: "$(B)2" },
          ],
          ports: [{ containerPort: 80 }, { containerPort: 80 }, { containerPort: 80, hostPort: 80 }],
        },
      ];
      // Taken for 1 from the beginning: nothing to warn of.
      spec.terminationGracePeriodSeconds = -1;
    },
    'spec.imagePullSecrets[1].name: duplicate name "a"',
    'spec.imagePullSecrets[2].name: invalid empty name ""',
    'spec.containers[0].resources.limits[memory]: fractional byte value "128m" is invalid, must be an integer',
    'spec.containers[0].resources.requests[memory]: fractional byte value "128m" is invalid, must be an integer',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
    "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
    "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
    'spec.hostAliases[1].ip: IPv6 address "0::1" should be in RFC 5952 canonical format ("::1")',
  ],
  [
    "annotations that do nothing any more",
    (it) => {
      it.metadata.annotations = {
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        "container.seccomp.security.alpha.kubernetes.io/web": "runtime/default",
      };
    },
    'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/web]: non-functional in v1.27+; use the "seccompProfile" field instead',
  ],
]);

const deployment: Deployment = {
  metadata: sampleMeta("web.example"),
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: {
        labels: { app: "web" },
        annotations: { "container.apparmor.security.beta.kubernetes.io/web": "unconfined" },
      },
      spec: pod.spec,
    },
  },
  status: {},
};

testWarnings(Deployments, deployment, [
  [
    "its name and its template",
    ({ spec }) => {
      if (spec.template.spec) spec.template.spec.terminationGracePeriodSeconds = -1;
    },
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: deprecated since v1.30; use the "appArmorProfile" field instead',
    "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
  ],
]);

const service: Service = { metadata, spec: { ports: [{ port: 80 }] }, status: {} };

testWarnings(Services, service, [
  ["nothing to say", () => {}],
  [
    "a headless one",
    ({ spec }) => {
      spec.clusterIP = "None";
      spec.externalIPs = ["2001:DB8::1"];
      spec.sessionAffinity = "ClientIP";
      spec.trafficDistribution = "PreferClose";
      spec.externalName = "x";
    },
    "spec.externalIPs is ignored for headless services",
    "spec.SessionAffinity is ignored for headless services",
    'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    'spec.externalName is ignored when spec.type is not "ExternalName"',
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ],
]);
