import type { Node } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age, orNone } from "../columns.ts";

const rolePrefix = "node-role.kubernetes.io/";
const addressesText =
  "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses";

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const texts = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (spec?.unschedulable) texts.push("SchedulingDisabled");
  return texts.join(",");
}

/** Roles as labels tell them: `node-role.kubernetes.io/ROLE` or `kubernetes.io/role=ROLE`. */
function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix)) roles.add(key.slice(rolePrefix.length));
    else if (key === "kubernetes.io/role") roles.add(value);
  }
  roles.delete("");
  return orNone([...roles].sort().join(","));
}

const addressOf = ({ status }: Node, type: string): string =>
  orNone(status?.addresses?.find((address) => address.type === type)?.address);

/** What `kubectl get nodes` prints. */
export const nodeColumns: readonly Column<Node>[] = [
  { title: "Status", description: "The status of the node", value: statusText },
  { title: "Roles", description: "The roles of the node", value: rolesText },
  age,
  {
    title: "Version",
    description: "Kubelet Version reported by the node.",
    value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? "",
  },
  { title: "Internal-IP", priority: 1, description: addressesText, value: (node) => addressOf(node, "InternalIP") },
  { title: "External-IP", priority: 1, description: addressesText, value: (node) => addressOf(node, "ExternalIP") },
  {
    title: "OS-Image",
    priority: 1,
    description: "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).",
    value: ({ status }) => status?.nodeInfo?.osImage || "<unknown>",
  },
  {
    title: "Kernel-Version",
    priority: 1,
    description: "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
    value: ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>",
  },
  {
    title: "Container-Runtime",
    priority: 1,
    description: "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).",
    value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
  },
];
