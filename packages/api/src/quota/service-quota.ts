import type { Service } from "../generated/types/core-v1.ts";
import type { QuotaEvaluator } from "./evaluator.ts";

const counted: ReadonlySet<string> = new Set([
  "count/services",
  "services",
  "services.nodeports",
  "services.loadbalancers",
]);

/** Services: how many, how many load balancers, how many node ports they take or are going to take. */
export const serviceQuota: QuotaEvaluator<Service> = {
  group: "",
  plural: "services",
  counts: (name) => counted.has(name),
  usage({ spec }) {
    const { type, ports = [], allocateLoadBalancerNodePorts } = spec ?? {};
    const balanced = type === "LoadBalancer";
    const explicit = balanced && allocateLoadBalancerNodePorts === false;
    const taken = explicit ? ports.filter(({ nodePort }) => !!nodePort) : ports;
    return {
      "count/services": "1",
      services: "1",
      "services.loadbalancers": balanced ? "1" : "0",
      "services.nodeports": balanced || type === "NodePort" ? String(taken.length) : "0",
    };
  },
  inScope: () => false,
  handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
};
