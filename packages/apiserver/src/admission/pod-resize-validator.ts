import { asMillis, asUnits, Nodes, type Pod, Pods, podRequests, StatusError } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

/** What a pod asks for can only change on nodes that can follow, to no more than these have. */
export const podResizeValidator = (table: ResourceTable): AdmissionPlugin => ({
  name: "PodResizeValidator",
  resources: [Pods],
  handles: ({ operation, subresource }) => operation === "UPDATE" && subresource === "resize",
  validate(request) {
    const pod = objectOf(request, Pods);
    const name = pod?.spec?.nodeName;
    if (!name || jsonEqual(pod?.spec, oldObjectOf(request, Pods)?.spec)) return;
    const node = table.of(Nodes).peek({ name });
    if (node === undefined) throw refused(request, `node ${JSON.stringify(name)} not found`);
    const os = node.metadata.labels?.["kubernetes.io/os"] ?? "linux";
    if (os !== "linux") {
      const why = `pod resize is only supported on linux nodes, node ${JSON.stringify(name)} is ${JSON.stringify(os)}`;
      throw withCause(request, why, "UnsupportedPlatform");
    }
    const lacking = lackingOf(pod, node.status?.allocatable ?? {});
    if (lacking.length === 0) return;
    const why = `node didn't have enough allocatable resources: ${lacking.join("; ")}`;
    throw withCause(request, why, "NodeCapacity");
  },
});

function lackingOf(pod: Pod, allocatable: Readonly<Record<string, string>>): readonly string[] {
  const requests = podRequests(pod);
  return (["cpu", "memory"] as const).flatMap((name) => {
    const amount = name === "cpu" ? asMillis : asUnits;
    const [requested, has] = [amount(requests[name] ?? "0"), amount(allocatable[name] ?? "0")];
    return requested > has ? [`${name}, requested: ${requested}, allocatable: ${has}`] : [];
  });
}

function withCause(request: AdmissionRequest, why: string, reason: string): StatusError {
  const { status } = refused(request, why);
  return new StatusError({ ...status, details: { ...status.details, causes: [{ reason }] } });
}
