import { join } from "node:path";
import { ClaimDrivers } from "../claims/claim-drivers.ts";
import { NodeClaims } from "../claims/node-claims.ts";
import { NodeDevices } from "../devices/node-devices.ts";
import type { KubeletOptions } from "../options.ts";
import { readMachineTopology } from "../topology/machine-topology.ts";
import { NodeGrants } from "./node-grants.ts";

/** What the node sets aside for single pods, and those who give it out. */
export interface StartedGrants extends AsyncDisposable {
  readonly grants: NodeGrants;
  readonly devices: NodeDevices;
  readonly claims: NodeClaims;
  readonly drivers: ClaimDrivers;
}

/** Takes up what was set aside before the kubelet was restarted. */
export async function startGrants(
  options: Pick<KubeletOptions, "node" | "client" | "topology" | "clock" | "logger">,
  { onChange }: { readonly onChange: () => void },
): Promise<StartedGrants> {
  const { node, client, clock, logger } = options;
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
  const drivers = new ClaimDrivers({ nodeName: node.name, client, clock, logger });
  const claims = await NodeClaims.load({ rootFolder: node.rootFolder, drivers, client, logger });
  return {
    grants,
    devices,
    claims,
    drivers,
    async [Symbol.asyncDispose]() {
      await devices[Symbol.asyncDispose]();
      await drivers[Symbol.asyncDispose]();
    },
  };
}
