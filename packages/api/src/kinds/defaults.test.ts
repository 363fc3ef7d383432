import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../generated/types/core-v1.ts";
import { ConfigMaps, Deployments, EndpointSlices, Namespaces, Nodes, Pods } from "./definitions.ts";
import { sampleDeployment, sampleMeta, sampleNode, samplePod, sampleSecret, sampleService } from "./sample-objects.ts";

const context = { nowMs: Date.parse("2026-01-02T03:04:05Z") };

const containerDefaults = {
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: "IfNotPresent",
};

const podDefaults = {
  dnsPolicy: "ClusterFirst",
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  schedulerName: "default-scheduler",
  securityContext: {},
};

test("a pod of one container", () => {
  assert.deepEqual(samplePod().spec, {
    ...podDefaults,
    enableServiceLinks: true,
    containers: [{ name: "web", image: "web:1", resources: {}, ...containerDefaults }],
  });
});

test("a pod with everything that is filled in", () => {
  const { spec } = samplePod((pod) => {
    pod.spec = {
      hostNetwork: true,
      serviceAccount: "robot",
      initContainers: [{ name: "init", image: "busybox@sha256:00" }],
      containers: [
        {
          name: "web",
          image: "registry:5000/web",
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } },
          env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { grpc: { port: 81 }, periodSeconds: 5 },
          lifecycle: { preStop: { httpGet: { port: 80, path: "/stop" } } },
        },
      ],
      volumes: [
        { name: "empty" },
        { name: "secret", secret: { secretName: "a" } },
        { name: "host", hostPath: { path: "/a" } },
        { name: "all", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
      ],
    };
  });
  const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  assert.deepEqual(spec, {
    ...podDefaults,
    enableServiceLinks: true,
    hostNetwork: true,
    serviceAccount: "robot",
    serviceAccountName: "robot",
    initContainers: [{ name: "init", image: "busybox@sha256:00", resources: {}, ...containerDefaults }],
    containers: [
      {
        name: "web",
        image: "registry:5000/web",
        ...containerDefaults,
        imagePullPolicy: "Always",
        ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP" }],
        resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } },
        env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name", apiVersion: "v1" } } }],
        livenessProbe: { ...probe, httpGet: { port: 80, path: "/", scheme: "HTTP" } },
        readinessProbe: { ...probe, periodSeconds: 5, grpc: { port: 81, service: "" } },
        lifecycle: { preStop: { httpGet: { port: 80, path: "/stop", scheme: "HTTP" } } },
      },
    ],
    volumes: [
      { name: "empty", emptyDir: {} },
      { name: "secret", secret: { secretName: "a", defaultMode: 420 } },
      { name: "host", hostPath: { path: "/a", type: "" } },
      {
        name: "all",
        projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }] },
      },
    ],
  });
});

test("a Deployment", () => {
  assert.deepEqual(sampleDeployment().spec, {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: {
      metadata: { labels: { app: "web" } },
      spec: { ...podDefaults, containers: [{ name: "web", image: "web:1", resources: {}, ...containerDefaults }] },
    },
  });
});

test("Services by type", () => {
  const common = {
    clusterIP: "10.0.0.9",
    clusterIPs: ["10.0.0.9"],
    sessionAffinity: "None",
    ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    internalTrafficPolicy: "Cluster",
  };
  assert.deepEqual(sampleService().spec, { ...common, type: "ClusterIP" });
  const external = { ...common, externalTrafficPolicy: "Cluster" };
  const of = (type: string) =>
    sampleService(({ spec }) => {
      spec.type = type;
    }).spec;
  assert.deepEqual(of("NodePort"), { ...external, type: "NodePort" });
  assert.deepEqual(of("LoadBalancer"), { ...external, type: "LoadBalancer", allocateLoadBalancerNodePorts: true });
  const sticky = sampleService(({ spec }) => {
    spec.sessionAffinity = "ClientIP";
  }).spec;
  assert.deepEqual(sticky.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10_800 } });
});

test("a Secret's text becomes data", () => {
  const secret = sampleSecret((it) => {
    it.data = { a: "b2xk", b: "Yg==" };
    it.stringData = { a: "new" };
  });
  assert.deepEqual([secret.type, secret.data, "stringData" in secret], ["Opaque", { a: "bmV3", b: "Yg==" }, false]);
});

test("a Namespace bears its name as a label and is active", () => {
  const { namespace: _none, ...metadata } = sampleMeta("team");
  const namespace = { metadata, spec: {}, status: { phase: "Terminating" } };
  Namespaces.defaults(namespace);
  Namespaces.prepareCreate(namespace, context);
  assert.deepEqual(namespace, {
    metadata: { ...metadata, labels: { "kubernetes.io/metadata.name": "team" } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
});

test("ports of an EndpointSlice", () => {
  const slice = { metadata: sampleMeta("web-1"), addressType: "IPv4", endpoints: [], ports: [{ port: 80 }] };
  EndpointSlices.defaults(slice);
  assert.deepEqual(slice.ports, [{ name: "", protocol: "TCP", port: 80 }]);
});

test("a node keeps the status it comes with, a pod does not", () => {
  const node = sampleNode((it) => {
    it.status = { capacity: { cpu: "4" } };
    it.spec.podCIDR = "10.1.0.0/24";
  });
  Nodes.prepareCreate(node, context);
  assert.deepEqual(node.status, { capacity: { cpu: "4" }, allocatable: { cpu: "4" } });
  assert.deepEqual(node.spec.podCIDRs, ["10.1.0.0/24"]);
  assert.equal(node.metadata.generation, undefined);
  const pod = samplePod((it) => {
    it.status = { phase: "Running" };
  });
  Pods.prepareCreate(pod, context);
  assert.deepEqual(pod.status, { phase: "Pending", qosClass: "BestEffort" });
  assert.equal(pod.metadata.generation, 1);
});

test("a main update keeps the status, a status update all else", () => {
  const old = sampleDeployment((it) => {
    it.status = { replicas: 2 };
  });
  const changed = (change: (it: typeof old) => void) => sampleDeployment((it) => change(it));
  const main = changed((it) => {
    it.spec.replicas = 5;
    it.status = { replicas: 9 };
  });
  Deployments.prepareUpdate(main, old, context);
  assert.deepEqual([main.spec.replicas, main.status.replicas], [5, 2]);
  assert.equal(Deployments.changesGeneration(main, old), true);
  const status = changed((it) => {
    it.spec.replicas = 5;
    it.status = { replicas: 9 };
    it.metadata.labels = { a: "b" };
    it.metadata.annotations = { c: "d" };
  });
  Deployments.prepareStatusUpdate(status, old, context);
  assert.deepEqual([status.spec.replicas, status.status.replicas], [1, 9]);
  assert.deepEqual([status.metadata.labels, status.metadata.annotations], [undefined, { c: "d" }]);
});

test("ConfigMaps have no generation", () => {
  const configMap = { metadata: sampleMeta("a"), data: { a: "1" } };
  ConfigMaps.prepareCreate(configMap, context);
  assert.equal("generation" in configMap.metadata, false);
  assert.equal(ConfigMaps.changesGeneration(configMap, { ...configMap, data: {} }), false);
});

const graces: readonly (readonly [string, (pod: Pod) => void, number])[] = [
  ["nobody runs it", () => {}, 0],
  [
    "it runs",
    (pod) => {
      pod.spec.nodeName = "one";
    },
    30,
  ],
  [
    "it has ended",
    (pod) => {
      pod.spec.nodeName = "one";
      pod.status = { phase: "Failed" };
    },
    0,
  ],
];

for (const [name, change, seconds] of graces) {
  test(`grace of a pod: ${name}`, () => assert.equal(Pods.gracePeriodSeconds?.(samplePod(change)), seconds));
}

test("grace of a pod: what is asked for comes before what the pod says, also where that is none", () => {
  const pod = samplePod((one) => {
    one.spec.nodeName = "one";
    one.spec.terminationGracePeriodSeconds = 0;
  });
  for (const [asked, seconds] of [
    [60, 60],
    [0, 0],
    [-1, 1],
    [undefined, 0],
  ] as const) {
    assert.equal(Pods.gracePeriodSeconds?.(pod, asked), seconds);
  }
});
