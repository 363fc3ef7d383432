import type { Pod } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age, orNone } from "../columns.ts";
import { podCondition } from "../pod-state.ts";
import { summarizePod } from "./pod-status-text.ts";

/** What `kubectl get pods` prints. */
export const podColumns: readonly Column<Pod>[] = [
  {
    title: "Ready",
    description: "The aggregate readiness state of this pod for accepting traffic.",
    value: (pod, { nowMs }) => summarizePod(pod, nowMs).ready,
  },
  {
    title: "Status",
    description: "The aggregate status of the containers in this pod.",
    value: (pod, { nowMs }) => summarizePod(pod, nowMs).status,
  },
  {
    title: "Restarts",
    description:
      "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    value: (pod, { nowMs }) => summarizePod(pod, nowMs).restarts,
  },
  age,
  {
    title: "IP",
    priority: 1,
    description:
      "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.",
    value: (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
  },
  {
    title: "Node",
    priority: 1,
    description:
      "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
    value: (pod) => orNone(pod.spec?.nodeName),
  },
  {
    title: "Nominated Node",
    priority: 1,
    description:
      "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.",
    value: (pod) => orNone(pod.status?.nominatedNodeName),
  },
  {
    title: "Readiness Gates",
    priority: 1,
    description:
      'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
    value(pod) {
      const gates = pod.spec?.readinessGates ?? [];
      const met = gates.filter(({ conditionType }) => podCondition(pod, conditionType)?.status === "True");
      return gates.length === 0 ? "<none>" : `${met.length}/${gates.length}`;
    },
  },
];
