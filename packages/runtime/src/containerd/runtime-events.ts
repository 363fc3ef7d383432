import type { Clock, Logger } from "@skiff/base";
import { describeError } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import type { Cgroups } from "@skiff/host";
import type { RuntimeEvent } from "../runtime.ts";
import type { FirstProcesses } from "./first-processes.ts";
import { ContainerDelete, TaskDelete, TaskExit, TaskOOM, TaskStart } from "./generated/containerd-events.ts";
import { type Envelope, Events } from "./generated/containerd-services-events-v1.ts";
import type { Timestamp } from "./generated/google-protobuf.ts";
import { RuntimeService } from "./generated/runtime-v1.ts";
import type { KnownContainers } from "./known-containers.ts";
import { criNamespace, nativeMetadata } from "./native.ts";

const reconnectMs = 100;

const toMs = (at: Timestamp | undefined): number =>
  at === undefined ? 0 : at.seconds * 1000 + Math.floor(at.nanos / 1e6);

/** Turns containerd's own events into the runtime's. Keeps which containers ran out of memory until they exit. */
class EventReader {
  readonly #known: KnownContainers;
  readonly #firstProcesses: FirstProcesses;
  readonly #outOfMemory = new Set<string>();
  constructor(known: KnownContainers, firstProcesses: FirstProcesses) {
    this.#known = known;
    this.#firstProcesses = firstProcesses;
  }

  async read(envelope: Envelope, signal: AbortSignal): Promise<RuntimeEvent | undefined> {
    const bytes = envelope.event?.value;
    if (bytes === undefined || envelope.namespace !== criNamespace) return undefined;
    switch (envelope.topic) {
      case "/tasks/start": {
        const { containerId, pid } = TaskStart.decode(bytes);
        this.#firstProcesses.started(containerId, pid);
        return this.#ofContainer("containerStarted", containerId, signal);
      }
      case "/containers/delete": {
        const event = await this.#ofContainer("containerDeleted", ContainerDelete.decode(bytes).id, signal);
        this.#known.forget(ContainerDelete.decode(bytes).id);
        return event;
      }
      case "/tasks/oom":
        this.#outOfMemory.add(TaskOOM.decode(bytes).containerId);
        return undefined;
      case "/tasks/delete": {
        const { containerId, id } = TaskDelete.decode(bytes);
        // Commands run by exec are deleted on the same topic.
        if (id === "" || id === containerId) this.#firstProcesses.cleared(containerId);
        return undefined;
      }
      case "/tasks/exit":
        return this.#exit(TaskExit.decode(bytes), signal);
      default:
        return undefined;
    }
  }

  async #ofContainer(
    kind: "containerStarted" | "containerDeleted",
    containerId: string,
    signal: AbortSignal,
  ): Promise<RuntimeEvent | undefined> {
    return (await this.#known.kind(containerId, signal)) === "container" ? { kind, containerId } : undefined;
  }

  async #exit(exit: TaskExit, signal: AbortSignal): Promise<RuntimeEvent | undefined> {
    const { containerId } = exit;
    // Commands run by exec end on the same topic.
    if (exit.id !== containerId) return undefined;
    this.#firstProcesses.ended(containerId);
    if ((await this.#known.kind(containerId, signal)) === "sandbox")
      return { kind: "sandboxStopped", sandboxId: containerId };
    const oomKilled = this.#outOfMemory.delete(containerId);
    return { kind: "containerExited", containerId, exitCode: exit.exitStatus, atMs: toMs(exit.exitedAt), oomKilled };
  }
}

/** The exit code of what SIGKILL ended. */
const killed = 137;
const outOfMemoryMs = 50;

const isOutOfMemory = ({ topic, event }: Envelope, containerId: string): boolean =>
  topic === "/tasks/oom" && TaskOOM.decode(event?.value ?? new Uint8Array()).containerId === containerId;

interface Subscription extends Disposable {
  readonly envelopes: AsyncGenerator<Envelope>;
  /** The first answer, asked for already: the subscription is on its way. */
  readonly first: Promise<IteratorResult<Envelope>>;
}

function subscribe(channel: GrpcChannel, signal: AbortSignal): Subscription {
  const over = new AbortController();
  const filters = ["containers/delete", "tasks/start", "tasks/oom", "tasks/exit", "tasks/delete"].map(
    (topic) => `topic=="/${topic}"`,
  );
  const either = AbortSignal.any([signal, over.signal]);
  const envelopes = channel.stream(Events.subscribe, { filters }, { signal: either, metadata: nativeMetadata() });
  const first = envelopes.next();
  first.catch(() => {});
  return { envelopes, first, [Symbol.dispose]: () => over.abort() };
}

/** Whether one of the events of the next moment says that the container's memory ran out. They stay to be read. */
async function tellsOfMemory(
  containerId: string,
  next: {
    readonly subscription: Subscription;
    readonly waiting: Promise<IteratorResult<Envelope>>[];
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { subscription, waiting, clock, signal } = next;
  const late = clock.sleep(outOfMemoryMs, signal).then(() => undefined);
  for (let at = 0; ; at++) {
    const later = waiting[at] ?? subscription.envelopes.next();
    waiting[at] ??= later;
    later.catch(() => {});
    const heard = await Promise.race([later, late]);
    if (heard === undefined || heard.done === true) return false;
    if (isOutOfMemory(heard.value, containerId)) return true;
  }
}

/**
 * A round trip on the same connection: what was sent before it has arrived. It fails while the CRI, which comes last in a containerd that
 * starts, is not there: who hears of the events' return asks it for more.
 */
async function roundTrip(channel: GrpcChannel, signal: AbortSignal): Promise<void> {
  await channel.call(RuntimeService.listContainers, { filter: { id: "none" } }, { signal, deadlineMs: 2000 });
}

export interface EventSources {
  readonly known: KnownContainers;
  readonly firstProcesses: FirstProcesses;
  readonly cgroups: Pick<Cgroups, "oomKills">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Events without end, from the call on: reconnects, and says `resync` when it has. */
export function runtimeEvents(channel: GrpcChannel, sources: EventSources): AsyncIterable<RuntimeEvent> {
  return readEvents(channel, subscribe(channel, sources.signal), sources);
}

async function* readEvents(
  channel: GrpcChannel,
  initial: Subscription,
  { known, firstProcesses, cgroups, clock, logger, signal }: EventSources,
): AsyncGenerator<RuntimeEvent> {
  const reader = new EventReader(known, firstProcesses);
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      using subscription = attempt === 0 ? initial : subscribe(channel, signal);
      if (attempt > 0) {
        await roundTrip(channel, signal);
        yield { kind: "resync" };
      }
      const waiting: Promise<IteratorResult<Envelope>>[] = [subscription.first];
      for (;;) {
        const next = await (waiting.shift() ?? subscription.envelopes.next());
        if (next.done === true) break;
        const event = await reader.read(next.value, signal);
        if (event?.kind === "containerExited" && event.exitCode === killed && !event.oomKilled) {
          // Under load the word that memory ran out comes after that of the end. The kernel has counted it already.
          const cgroup = known.facts(event.containerId)?.cgroup;
          const kills = cgroup === undefined ? undefined : cgroups.oomKills(cgroup);
          if (kills !== undefined) {
            yield { ...event, oomKilled: kills > 0 };
            continue;
          }
          const oomKilled = await tellsOfMemory(event.containerId, { subscription, waiting, clock, signal });
          yield { ...event, oomKilled };
        } else if (event !== undefined) yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (attempt === 0) logger.debug(`the runtime's events broke off: ${describeError(error)}`);
    }
    await clock.sleep(reconnectMs, signal).catch(() => {});
  }
}
