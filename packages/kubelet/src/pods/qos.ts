import { qosClass as computeQosClass, type Pod, type QosClass } from "@skiff/api";

/** The class that the pod's requests and limits put it in; kept from the status where that has it already. */
export function qosClass(pod: Pod): QosClass {
  const known = pod.status?.qosClass;
  if (known === "Guaranteed" || known === "Burstable" || known === "BestEffort") return known;
  return computeQosClass(pod);
}
