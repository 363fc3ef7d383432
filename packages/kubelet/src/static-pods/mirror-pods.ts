import { isAlreadyExists, isNotFound, type New, Nodes, type Pod, Pods } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, resolvedOrAborted } from "@skiff/base";
import type { Client } from "@skiff/client";
import { sourceAnnotations } from "./static-pod.ts";

const nameOf = ({ metadata }: Pick<Pod, "metadata">): string => `${metadata.namespace}/${metadata.name}`;
const hashOf = ({ metadata }: Pick<Pod, "metadata">): string | undefined =>
  metadata.annotations?.[sourceAnnotations.mirror] ?? metadata.annotations?.[sourceAnnotations.hash];

export interface MirrorPodsOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The API's pictures of static pods: made, made anew after somebody deleted them, removed with what they show. */
export class MirrorPods {
  readonly #options: MirrorPodsOptions;
  readonly #mirrors = new Map<string, Pod>();
  #wanted: readonly Pod[] = [];
  #listed = false;
  #poked = Promise.withResolvers<void>();

  constructor(options: MirrorPodsOptions) {
    this.#options = options;
  }

  /** The picture of a static pod, where the API has one that shows it as it is. */
  of(pod: Pod): Pod | undefined {
    const mirror = this.#mirrors.get(nameOf(pod));
    return mirror !== undefined && hashOf(mirror) === pod.metadata.uid ? mirror : undefined;
  }

  /** The static pods that are to be shown. */
  want(pods: readonly Pod[]): void {
    this.#wanted = pods;
    this.#poked.resolve();
  }

  /** The API has been read: pictures that were not heard of are not there. */
  listed(): void {
    this.#listed = true;
    this.#poked.resolve();
  }

  /** The API's picture of a static pod came, changed or went. */
  changed(mirror: Pod, gone: boolean): void {
    const known = this.#mirrors.get(nameOf(mirror));
    if (!gone) this.#mirrors.set(nameOf(mirror), mirror);
    else if (known?.metadata.uid === mirror.metadata.uid) this.#mirrors.delete(nameOf(mirror));
    this.#poked.resolve();
  }

  /** Keeps the API's pictures right until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      await resolvedOrAborted(this.#poked.promise, signal);
      if (signal.aborted) return;
      this.#poked = Promise.withResolvers<void>();
      if (!this.#listed) continue;
      try {
        await this.#sync(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        logger.debug(`mirror pods: ${describeError(error)}`);
        await clock.sleep(1000, signal);
        this.#poked.resolve();
      }
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { client, nodeName } = this.#options;
    const wanted = new Map(this.#wanted.map((pod) => [nameOf(pod), pod]));
    for (const [name, mirror] of this.#mirrors) {
      const { deletionTimestamp, namespace, uid } = mirror.metadata;
      const pod = wanted.get(name);
      if (pod !== undefined && hashOf(mirror) === pod.metadata.uid && deletionTimestamp === undefined) continue;
      const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal };
      await client.delete(Pods, { name: mirror.metadata.name, namespace }, options).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    const missing = this.#wanted.filter((pod) => !this.#mirrors.has(nameOf(pod)));
    if (missing.length === 0) return;
    const node = await client.get(Nodes, { name: nodeName }, { signal });
    for (const pod of missing) {
      await client.create(Pods, mirrorOf(pod, node.metadata.uid), { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
  }
}

/** What is shown of a static pod; it belongs to its node and goes with it. */
export function mirrorOf(pod: Pod, nodeUid: string): New<Pod> {
  const { name, namespace, labels, annotations, uid } = pod.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [sourceAnnotations.mirror]: uid },
      ownerReferences: [
        { apiVersion: "v1", kind: "Node", name: pod.spec.nodeName ?? "", uid: nodeUid, controller: true },
      ],
    },
    spec: pod.spec,
  };
}
