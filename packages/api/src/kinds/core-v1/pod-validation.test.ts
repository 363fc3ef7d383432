import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import type { Container, Pod } from "../../generated/types/core-v1.ts";
import { Pods } from "../definitions.ts";
import { samplePod } from "../sample-objects.ts";

const container = (change: Partial<Container>) => (pod: Pod) => {
  pod.spec.containers = [{ name: "web", image: "web:1", ...change }];
};

const cases: readonly {
  readonly name: string;
  readonly change: (pod: Pod) => void;
  readonly texts: readonly string[];
}[] = [
  { name: "as it is", change: () => {}, texts: [] },
  {
    name: "no containers",
    change: (pod) => {
      pod.spec.containers = [];
    },
    texts: ["spec.containers: Required value"],
  },
  {
    name: "no image",
    change: container({ image: "" }),
    texts: ["spec.containers[0].image: Required value"],
  },
  {
    name: "padded image",
    change: container({ image: " web:1" }),
    texts: ['spec.containers[0].image: Invalid value: " web:1": must not have leading or trailing whitespace'],
  },
  {
    name: "names twice",
    change: (pod) => {
      pod.spec.containers.push({ name: "web", image: "a" });
    },
    texts: ['spec.containers[1].name: Duplicate value: "web"'],
  },
  {
    name: "request above limit",
    change: container({ resources: { requests: { cpu: "2" }, limits: { cpu: "1500m" } } }),
    texts: [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m',
    ],
  },
  {
    name: "extended resource without a limit",
    change: container({ resources: { requests: { "example.com/gpu": "1" } } }),
    texts: ["spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"],
  },
  {
    name: "half a piece",
    change: container({ resources: { limits: { "example.com/gpu": "500m" } } }),
    texts: [
      'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
      'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
    ],
  },
  {
    name: "unknown resource",
    change: container({ resources: { limits: { disk: "1" }, requests: { disk: "1" } } }),
    texts: ["limits", "requests"].flatMap((kind) => [
      `spec.containers[0].resources.${kind}[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
      `spec.containers[0].resources.${kind}[disk]: Invalid value: "disk": must be a standard resource for containers`,
    ]),
  },
  {
    name: "mount of nothing",
    change: container({ volumeMounts: [{ name: "data", mountPath: "/data" }] }),
    texts: ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
  },
  {
    name: "two mounts in one place",
    change: (pod) => {
      pod.spec.volumes = [{ name: "data" }];
      const mount = { name: "data", mountPath: "/data" };
      container({ volumeMounts: [mount, { ...mount, subPath: "../a" }] })(pod);
    },
    texts: [
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/data": must be unique',
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../a\": must not contain '..'",
    ],
  },
  {
    name: "volume of two types",
    change: (pod) => {
      pod.spec.volumes = [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }];
    },
    texts: ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
  },
  {
    name: "mode beyond permissions",
    change: (pod) => {
      pod.spec.volumes = [{ name: "v", configMap: { name: "c", defaultMode: 512 } }];
    },
    texts: [
      "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
    ],
  },
  {
    name: "probe that does nothing",
    change: container({ livenessProbe: { successThreshold: 2 } }),
    texts: [
      "spec.containers[0].livenessProbe: Required value: must specify a handler type",
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ],
  },
  {
    name: "probe that does two things",
    change: container({ readinessProbe: { httpGet: { port: 80 }, exec: { command: ["true"] } } }),
    texts: ["spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type"],
  },
  {
    name: "probe of an init container",
    change: (pod) => {
      const probe = { tcpSocket: { port: "http" } };
      pod.spec.initContainers = [
        { name: "a", image: "a", livenessProbe: probe },
        { name: "b", image: "b", livenessProbe: probe, restartPolicy: "Always" },
      ];
    },
    texts: [
      "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
  },
  {
    name: "restarts to resize what ends by itself",
    change: (pod) => {
      const resizePolicy = [{ resourceName: "cpu", restartPolicy: "RestartContainer" }];
      pod.spec.initContainers = [
        { name: "a", image: "a", resizePolicy },
        { name: "b", image: "b", resizePolicy, restartPolicy: "Always" },
      ];
    },
    texts: [
      "spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers",
    ],
  },
  {
    name: "variable from nowhere and from everywhere",
    change: container({
      env: [
        { name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "B", valueFrom: { fieldRef: { fieldPath: "spec.containers" } } },
        { name: "C", valueFrom: { fieldRef: { fieldPath: "status.phase" } } },
      ],
    }),
    texts: [
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: "spec.containers": error converting fieldPath: field label not supported: spec.containers',
      'spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
    ],
  },
  {
    name: "ports",
    change: container({
      ports: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 81, hostPort: 8080, name: "too-long-for-a-port" },
      ],
    }),
    texts: [
      'spec.containers[0].ports[1].name: Invalid value: "too-long-for-a-port": must be no more than 15 bytes',
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
    ],
  },
  {
    name: "toleration without key",
    change: (pod) => {
      pod.spec.tolerations = [{ effect: "NoSchedule", tolerationSeconds: 1 }];
    },
    texts: [
      'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
    ],
  },
  {
    name: "spread",
    change: (pod) => {
      const constraint = { maxSkew: 0, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" };
      pod.spec.topologySpreadConstraints = [constraint, { ...constraint, maxSkew: 1 }];
    },
    texts: [
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
    ],
  },
  {
    name: "keys of labels beside selectors",
    change: (pod) => {
      const labelSelector = { matchLabels: { app: "web" }, matchExpressions: [{ key: "app", operator: "Exists" }] };
      pod.spec.topologySpreadConstraints = [
        {
          maxSkew: 1,
          topologyKey: "zone",
          whenUnsatisfiable: "DoNotSchedule",
          labelSelector,
          matchLabelKeys: ["v", "app"],
        },
        { maxSkew: 1, topologyKey: "host", whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["v"] },
      ];
      const required = [{ topologyKey: "zone", labelSelector, matchLabelKeys: ["app"], mismatchLabelKeys: ["app"] }];
      pod.spec.affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    },
    texts: [
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0][0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector',
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "app": exists in both matchLabelKeys and mismatchLabelKeys',
      'spec.topologySpreadConstraints[0][1]: Invalid value: "app": exists in both matchLabelKeys and labelSelector',
      "spec.topologySpreadConstraints[1].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
    ],
  },
  {
    name: "names and policies",
    change: (pod) => {
      pod.spec.restartPolicy = "Sometimes";
      pod.spec.dnsPolicy = "None";
      pod.spec.hostname = "a.b";
      pod.spec.hostAliases = [{ ip: "10.0.0", hostnames: ["ok"] }];
    },
    texts: [
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
      'spec.hostname: Invalid value: "a.b": must not contain dots',
      'spec.hostAliases[0].ip: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    name: "security",
    change: container({ securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1 } }),
    texts: [
      "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive",
      'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false,"runAsUser":-1}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
  },
  {
    name: "ephemeral containers from the start",
    change: (pod) => {
      pod.spec.ephemeralContainers = [{ name: "debug", image: "d", targetContainerName: "nobody" }];
    },
    texts: [
      'spec.ephemeralContainers[0].targetContainerName: Not found: "nobody"',
      "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ],
  },
  {
    name: "gated and placed",
    change: (pod) => {
      pod.spec.nodeName = "one";
      pod.spec.schedulingGates = [{ name: "x.io/wait" }];
    },
    texts: ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
  },
];

for (const { name, change, texts } of cases) {
  test(`pod: ${name}`, () => {
    assert.deepEqual(Pods.validate(samplePod(change)).map(fieldErrorText), texts);
  });
}
