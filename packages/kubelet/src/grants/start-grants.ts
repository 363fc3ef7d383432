import { join } from "node:path";
import { NodeDevices } from "../devices/node-devices.ts";
import type { KubeletOptions } from "../options.ts";
import { readMachineTopology } from "../topology/machine-topology.ts";
import { NodeGrants } from "./node-grants.ts";

/** What the node sets aside for single pods, and those who give it out. */
export interface StartedGrants extends AsyncDisposable {
  readonly grants: NodeGrants;
  readonly devices: NodeDevices;
}

/** Takes up what was set aside before the kubelet was restarted. */
export async function startGrants(
  options: Pick<KubeletOptions, "node" | "topology" | "clock" | "logger">,
  { onChange }: { readonly onChange: () => void },
): Promise<StartedGrants> {
  const { node, clock, logger } = options;
  const topology = options.topology ?? (await readMachineTopology());
  const devices = await NodeDevices.start({
    folder: join(node.rootFolder, "device-plugins"),
    numaNodes: topology.numa.nodes,
    clock,
    logger,
    onChange,
  });
  const grants = new NodeGrants([devices], {
    policy: "none",
    scope: "container",
    preferClosest: false,
    numa: topology.numa,
  });
  return {
    grants,
    devices,
    [Symbol.asyncDispose]: () => devices[Symbol.asyncDispose](),
  };
}
