import type { NodeConnector } from "@skiff/apiserver";
import type { Informers } from "@skiff/client";
import type { StorageDriver } from "@skiff/controllers";
import { CsiClient, hostpathDriverName, hostpathTopologyKey } from "@skiff/csi";
import { volumeDriverSocket } from "../lifecycle/machine.ts";
import { csiStorageDriver } from "./csi-storage-driver.ts";
import { nodeRelay } from "./node-relay.ts";
import type { Server } from "./run-components.ts";

/** The drivers for volumes on the disks of the cluster's nodes: this server's own node's by its socket, others' through the nodes. */
export function hostpathDrivers(
  { settings, paths, clock }: Pick<Server, "settings" | "paths" | "clock">,
  others: { readonly nodes: NodeConnector; readonly informers: Informers },
): StorageDriver & Disposable {
  const own = new CsiClient(volumeDriverSocket(paths, settings.runtime), clock);
  const { nodeName } = settings;
  const driver = csiStorageDriver({
    name: hostpathDriverName,
    home: { [hostpathTopologyKey]: nodeName },
    driverAt({ [hostpathTopologyKey]: place = nodeName }) {
      return place === nodeName ? own : nodeRelay(place, others);
    },
    // The NFS server that they come from is beside this one.
    staysHome: ({ shared }) => shared === "true",
  });
  return { ...driver, [Symbol.dispose]: () => own[Symbol.dispose]() };
}
