import type { Pod } from "@skiff/api";
import type { ContainerStatus, SandboxStatus } from "@skiff/runtime";
import type { NodeParts } from "../pods/node-parts.ts";
import { newest } from "../pods/plan.ts";
import type { PodSet } from "../pods/pod-set.ts";

/** A request that cannot be served, with its HTTP status. */
export class RequestFailure extends Error {
  override name = "RequestFailure";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** What the node server answers from. */
export interface ServerContext {
  readonly parts: NodeParts;
  /** Absent until the pods have been taken up. */
  readonly pods: () => PodSet | undefined;
}

export function findPod({ pods }: ServerContext, namespace: string, name: string): Pod {
  const pod = pods()?.find(namespace, name);
  if (pod === undefined) throw new RequestFailure(404, `pod "${name}" not found`);
  return pod;
}

export function runningContainer(context: ServerContext, pod: Pod, name: string): ContainerStatus {
  const status = newest(context.parts.cache.view(pod.metadata.uid), name);
  if (status === undefined || status.state !== "running")
    throw new RequestFailure(404, `container not found ("${name}")`);
  return status;
}

export function readySandbox(context: ServerContext, pod: Pod): SandboxStatus {
  const sandbox = context.parts.cache.view(pod.metadata.uid).sandboxes.find((one) => one.state === "ready");
  if (sandbox === undefined) throw new RequestFailure(404, `pod "${pod.metadata.name}" has no running sandbox`);
  return sandbox;
}
