import type { GrpcChannel, Init, Method } from "@skiff/grpc";
import { Containers } from "./generated/containerd-services-containers-v1.ts";
import { Content } from "./generated/containerd-services-content-v1.ts";
import { Diff } from "./generated/containerd-services-diff-v1.ts";
import { Images } from "./generated/containerd-services-images-v1.ts";
import { Leases } from "./generated/containerd-services-leases-v1.ts";
import { Snapshots } from "./generated/containerd-services-snapshots-v1.ts";
import { Tasks } from "./generated/containerd-services-tasks-v1.ts";

/** The namespace of containerd that its CRI keeps everything in. */
export const criNamespace = "k8s.io";

/** Metadata of calls to containerd's own API. A lease keeps what is written from being collected as garbage. */
export const nativeMetadata = (lease?: string): Readonly<Record<string, string>> => ({
  "containerd-namespace": criNamespace,
  ...(lease === undefined ? {} : { "containerd-lease": lease }),
});

/** Calls containerd's own API in the CRI's namespace. */
export const nativeCall = <Request, Response>(
  channel: GrpcChannel,
  method: Method<Request, Response>,
  request: Init<Request>,
  options: { readonly signal: AbortSignal; readonly lease?: string; readonly deadlineMs?: number },
): Promise<Response> =>
  channel.call(method, request, {
    signal: options.signal,
    metadata: nativeMetadata(options.lease),
    ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
  });

export { Containers, Content, Diff, Images, Leases, Snapshots, Tasks };
