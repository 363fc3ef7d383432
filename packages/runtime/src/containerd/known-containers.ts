import type { GrpcChannel } from "@skiff/grpc";
import { Containers, nativeCall } from "./native.ts";

/** What tells pods' sandboxes from containers: both are containers to containerd. */
export type ContainerKind = "sandbox" | "container";

/** What never changes about a container, from its creation on. */
export interface ContainerFacts {
  readonly sandboxId: string;
  readonly imageId: string;
  /** Its control group, as a path below each hierarchy's root. */
  readonly cgroup: string;
  /** The signal that it asked to be stopped with. */
  readonly stopSignal: string | undefined;
}

/** Remembers which ids are sandboxes, and of the containers made here what they were made with. */
export class KnownContainers {
  readonly #kinds = new Map<string, ContainerKind>();
  readonly #facts = new Map<string, ContainerFacts>();
  readonly #channel: GrpcChannel;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  note(id: string, kind: ContainerKind): void {
    this.#kinds.set(id, kind);
  }

  created(id: string, facts: ContainerFacts): void {
    this.note(id, "container");
    this.#facts.set(id, facts);
  }

  forget(id: string): void {
    this.#kinds.delete(id);
    this.#facts.delete(id);
  }

  /** Absent for containers that were made before this process started. */
  facts(id: string): ContainerFacts | undefined {
    return this.#facts.get(id);
  }

  /** Of those made here. */
  idsIn(sandboxId: string): readonly string[] {
    return [...this.#facts].filter(([, facts]) => facts.sandboxId === sandboxId).map(([id]) => id);
  }

  /** Asks containerd about those it has not met. */
  async kind(id: string, signal: AbortSignal): Promise<ContainerKind> {
    const known = this.#kinds.get(id);
    if (known !== undefined) return known;
    const answer = await nativeCall(this.#channel, Containers.get, { id }, { signal, deadlineMs: 5000 }).catch(
      () => undefined,
    );
    signal.throwIfAborted();
    const kind = answer?.container?.labels["io.cri-containerd.kind"] === "sandbox" ? "sandbox" : "container";
    if (answer !== undefined) this.note(id, kind);
    return kind;
  }
}
