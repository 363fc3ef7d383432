import { mkdir } from "node:fs/promises";
import type { Clock } from "@skiff/base";
import { GrpcServer, serve } from "@skiff/grpc";
import type { Mounts, Processes } from "@skiff/host";
import { identityService, pluginFeature, registrationService } from "../services.ts";
import { controllerMethods } from "./controller-service.ts";
import { nodeMethods } from "./node-service.ts";
import { VolumeStore } from "./volume-store.ts";

export const hostpathDriverName = "hostpath.csi.skiff.dev";
/** Label of nodes, and key of the topology of volumes. */
export const hostpathTopologyKey = "topology.hostpath.csi.skiff.dev/node";

export interface HostpathDriverOptions {
  readonly nodeName: string;
  /** Volumes and snapshots lie below it, each in a folder of its own. */
  readonly root: string;
  /** Socket of the driver's services. */
  readonly socket: string;
  /** Socket by which it makes itself known to the kubelet. */
  readonly registrationSocket: string;
  readonly version: string;
  readonly processes: Processes;
  readonly mounts: Mounts | undefined;
  /** Port of the NFS server that `prepareNfsServer` was called for with this root; absent: there is none. */
  readonly nfsPort?: number;
  readonly clock: Clock;
}

/**
 * Volumes on the node's own disk, offered through the Container Storage Interface as any other driver does it. Disposal ends
 * the service; volumes stay.
 */
export async function startHostpathDriver(options: HostpathDriverOptions): Promise<AsyncDisposable> {
  const { nodeName, root, processes, mounts, clock } = options;
  await mkdir(root, { recursive: true, mode: 0o700 });
  const store = new VolumeStore(root, processes);
  const topology = { [hostpathTopologyKey]: nodeName };
  await using stack = new AsyncDisposableStack();
  const features = [pluginFeature.controllerService, pluginFeature.accessibilityConstraints];
  const identity = [
    serve(identityService.getPluginInfo, async () => ({ name: hostpathDriverName, vendorVersion: options.version })),
    serve(identityService.getPluginCapabilities, async () => ({
      capabilities: [...features.map((type) => ({ service: { type } })), { volumeExpansion: { type: 1 } }],
    })),
    serve(identityService.probe, async () => ({ ready: { value: true } })),
  ];
  const controller = controllerMethods({ store, processes, root, clock, topology });
  const node = nodeMethods({ store, nodeName, topology, processes, mounts, nfsPort: options.nfsPort });
  stack.use(await GrpcServer.listen(options.socket, [...identity, ...controller, ...node]));
  stack.use(
    await GrpcServer.listen(options.registrationSocket, [
      serve(registrationService.getInfo, async () => ({
        type: "CSIPlugin",
        name: hostpathDriverName,
        endpoint: options.socket,
        supportedVersions: ["1.0.0"],
      })),
      serve(registrationService.notifyRegistrationStatus, async () => ({})),
    ]),
  );
  return stack.move();
}
