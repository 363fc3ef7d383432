import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { type AdmittingNode, admitPod } from "./admission.ts";

const node: AdmittingNode = {
  name: "node-1",
  labels: { disk: "ssd" },
  taints: [],
  allocatable: { cpu: "2", pods: "2" },
  operatingSystem: "linux",
  allowedUnsafeSysctls: ["kernel.msg*", "net.core.somaxconn", "vm.overcommit_memory"],
  appArmor: false,
  pressures: new Set(),
  strictSupplementalGroups: false,
  declaredFeatures: ["RestartAllContainersOnContainerExits"],
  shuttingDown: false,
  others: [],
};

const asks = (requests: Record<string, string>) =>
  podOf({ containers: [containerOf("a", { resources: { requests } })] });
const critical = (requests: Record<string, string>) =>
  podOf({ priority: 2_000_000_000, containers: [containerOf("a", { resources: { requests } })] });
const sysctl = (name: string, more: Partial<Pod["spec"]> = {}) =>
  podOf({ securityContext: { sysctls: [{ name, value: "1" }] }, ...more });
const port = (hostPort: number, hostIP?: string, protocol?: string) =>
  podOf({ containers: [containerOf("a", { ports: [{ containerPort: 1, hostPort, hostIP, protocol }] })] });
const affinity = (...values: string[]) =>
  podOf({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator: "In", values }] }],
        },
      },
    },
  });
const restartsAll = podOf({
  containers: [containerOf("a", { restartPolicyRules: [{ action: "RestartAllContainers" }] })],
});
const taints = [{ key: "gone", effect: "NoExecute" }];
const noAffinity = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
const noPorts = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";

const table: readonly (readonly [string, Pod, Partial<AdmittingNode>, string])[] = [
  ["what fits", asks({ cpu: "2" }), {}, "admitted"],
  [
    "too much of a resource",
    asks({ cpu: "1" }),
    { others: [asks({ cpu: "1500m" })] },
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
  ],
  [
    "one pod too many",
    podOf(),
    { others: [podOf(), podOf()] },
    "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
  ],
  ["a resource that the cluster keeps", asks({ "example.com/gpu": "1" }), {}, "admitted"],
  [
    "one that the node has too little of",
    asks({ "example.com/gpu": "2" }),
    { allocatable: { "example.com/gpu": "1" } },
    "OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: 2, used: 0, capacity: 1",
  ],
  [
    "one that the cluster cannot do without",
    critical({ cpu: "1" }),
    { others: [asks({ cpu: "1500m" })] },
    "preempts web",
  ],
  [
    "one of those that fits nowhere",
    critical({ cpu: "4" }),
    { others: [asks({ cpu: "1500m" })] },
    "UnexpectedAdmissionError: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 3500), ]",
  ],
  [
    "one of those that is wrong here beside",
    { ...critical({ cpu: "1" }), spec: { ...critical({ cpu: "1" }).spec, nodeSelector: { disk: "hdd" } } },
    { others: [asks({ cpu: "1500m" })] },
    `NodeAffinity: ${noAffinity}`,
  ],
  [
    "any while the machine shuts down",
    podOf(),
    { shuttingDown: true },
    "NodeShutdown: Pod was rejected as the node is shutting down.",
  ],
  ["another node's label", podOf({ nodeSelector: { disk: "hdd" } }), {}, `NodeAffinity: ${noAffinity}`],
  ["affinity that matches", affinity("hdd", "ssd"), {}, "admitted"],
  ["affinity that does not", affinity("hdd"), {}, `NodeAffinity: ${noAffinity}`],
  ["a port that is taken", port(80), { others: [port(80, "127.0.0.1")] }, `NodePorts: ${noPorts}`],
  ["one of another address", port(80, "127.0.0.2"), { others: [port(80, "127.0.0.1")] }, "admitted"],
  ["one of another protocol", port(80, "", "UDP"), { others: [port(80)] }, "admitted"],
  [
    "a taint",
    podOf(),
    { taints },
    "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  ],
  ["a taint that is tolerated", podOf({ tolerations: [{ operator: "Exists" }] }), { taints }, "admitted"],
  [
    "a taint, for a pod of the node's own",
    podOf({}, { annotations: { "kubernetes.io/config.source": "file" } }),
    { taints },
    "admitted",
  ],
  [
    "another system",
    podOf({ os: { name: "windows" } }),
    {},
    "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
  ],
  [
    "another system by label",
    podOf({}, { labels: { "kubernetes.io/os": "windows" } }),
    {},
    "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
  ],
  [
    "groups that the runtime cannot leave out",
    podOf({ securityContext: { supplementalGroupsPolicy: "Strict" } }),
    {},
    "SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not supported in this node",
  ],
  [
    "groups that it can",
    podOf({ securityContext: { supplementalGroupsPolicy: "Strict" } }),
    { strictSupplementalGroups: true },
    "admitted",
  ],
  ["restarts of all containers that the node can do", restartsAll, {}, "admitted"],
  [
    "those that it cannot do",
    restartsAll,
    { declaredFeatures: [] },
    "PodFeatureUnsupported: Pod requires node features that are not available: RestartAllContainersOnContainerExits",
  ],
  [
    "AppArmor where there is none",
    podOf({ securityContext: { appArmorProfile: { type: "RuntimeDefault" } } }),
    {},
    "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host",
  ],
  [
    "none of it where there is none",
    podOf({ securityContext: { appArmorProfile: { type: "Unconfined" } } }),
    {},
    "admitted",
  ],
  ["a safe sysctl", sysctl("net.ipv4.tcp_syncookies"), {}, "admitted"],
  ["a safe one with slashes", sysctl("net/ipv4/tcp_syncookies"), {}, "admitted"],
  ["an unsafe one", sysctl("kernel.sem"), {}, 'SysctlForbidden: forbidden sysctl: "kernel.sem" not allowlisted'],
  ["an unsafe one that is allowed", sysctl("net.core.somaxconn"), {}, "admitted"],
  ["one of an allowed family", sysctl("kernel.msgmax"), {}, "admitted"],
  [
    "one of the whole node, whatever was allowed",
    sysctl("vm.overcommit_memory"),
    {},
    'SysctlForbidden: forbidden sysctl: "vm.overcommit_memory" not allowlisted',
  ],
  [
    "one of the node's network",
    sysctl("net.ipv4.tcp_syncookies", { hostNetwork: true }),
    {},
    'SysctlForbidden: forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  ],
  [
    "one of the node's IPC",
    sysctl("kernel.shm_rmid_forced", { hostIPC: true }),
    {},
    'SysctlForbidden: forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
  ],
];

describe("admitPod", () => {
  for (const [name, pod, more, expected] of table)
    it(name, () => {
      const judged = admitPod(pod, { ...node, ...more });
      const said =
        judged.kind === "refused"
          ? `${judged.failure.reason}: ${judged.failure.message.replace("Pod was rejected: ", "")}`
          : judged.kind === "preempts"
            ? `preempts ${judged.victims.map((one) => one.metadata.name).join(" ")}`
            : "admitted";
      assert.equal(said, expected);
    });
});
