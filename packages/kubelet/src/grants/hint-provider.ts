import type { Container, Pod } from "@skiff/api";
import type { NumaHints, NumaSet } from "../topology/numa.ts";
import type { ContainerGrant } from "./container-grant.ts";

/** Sets aside one sort of the node's resources for containers, near to what else they get. */
export interface HintProvider {
  /** Whether the pod asks for anything of that sort. */
  concerns(pod: Pod): boolean;
  /** Where what the container asks for could come from. */
  hints(pod: Pod, container: Container): NumaHints;
  /** Where what the whole pod asks for could come from. */
  podHints(pod: Pod): NumaHints;
  /** Sets aside what the container asks for, as near to `affinity` as it can be had. Throws where it cannot be had at all. */
  allocate(pod: Pod, container: Container, affinity: NumaSet | undefined, signal: AbortSignal): Promise<void>;
  /** What the container is to be made with, for what it was given. Asked each time that it is about to start. */
  grant(pod: Pod, container: Container, signal: AbortSignal): Promise<ContainerGrant>;
  /** The pod has ended. */
  release(podUid: string): void;
  /** Pods that something is set aside for. */
  holders(): ReadonlySet<string>;
}
