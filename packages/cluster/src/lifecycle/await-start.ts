import { Agent } from "node:https";
import { connect } from "node:net";
import { type Clock, isJsonObject, type JsonObject } from "@skiff/base";
import type { ClusterPaths } from "../settings/paths.ts";
import { ClusterError } from "../settings/settings.ts";
import type { Machine } from "./machine.ts";
import { type ApiAccess, livingSupervisor, logTail, probeApi, processStates } from "./running.ts";

/** A process that was started so often while it is waited for is not going to stay. */
const mostRestarts = 3;
/** Everything that is asked competes with what is waited for: ports are cheap to ask, processes are looked at now and then. */
const pollMs = 15;
const processPollMs = 300;

/** Asks the API server of a cluster that is starting, over one connection once there is one. */
export class StartProbe implements Disposable {
  readonly #access: ApiAccess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** Whether the API server is ready. */
  async apiAnswers(signal: AbortSignal): Promise<boolean> {
    if (!(await portIsOpen(new URL(this.#access.server)))) return false;
    return (await this.#ask("/readyz", signal))?.status === 200;
  }

  /** Ready, by a kubelet that runs now: what an earlier run left in the store (before `sinceMs`) does not count. */
  async nodeIsReady(nodeName: string, sinceMs: number, signal: AbortSignal): Promise<boolean> {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${nodeName}`;
    const { spec } = await this.#get(lease, signal);
    const renewed = isJsonObject(spec) && typeof spec.renewTime === "string" ? Date.parse(spec.renewTime) : 0;
    if (renewed < sinceMs) return false;
    const { status } = await this.#get(`/api/v1/nodes/${nodeName}`, signal);
    const conditions = isJsonObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
    return conditions.some((one) => isJsonObject(one) && one.type === "Ready" && one.status === "True");
  }

  /** Whether pods can be made in the namespace `default`: a controller gives it the account that they have. */
  async takesPods(signal: AbortSignal): Promise<boolean> {
    return (await this.#ask("/api/v1/namespaces/default/serviceaccounts/default", signal))?.status === 200;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #get(path: string, signal: AbortSignal): Promise<JsonObject> {
    const answer = await this.#ask(path, signal);
    const object: unknown = answer?.status === 200 ? JSON.parse(answer.body) : {};
    return isJsonObject(object) ? object : {};
  }

  #ask(path: string, signal: AbortSignal) {
    return probeApi({ ...this.#access, path, agent: this.#agent }, signal);
  }
}

function portIsOpen({ hostname, port }: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), hostname);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** What is waited for, and where to look when it does not come. */
export interface Waiting {
  readonly paths: ClusterPaths;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly what: string;
  readonly log: string;
}

/**
 * Resolves when `holds` gives true. Throws `ClusterError` with the end of the process' log when it takes too long, or when
 * the process or the supervisor does not stay.
 */
export async function waitFor(waiting: Waiting, signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  const { paths, machine, clock, what, log } = waiting;
  const startMs = clock.monotonic();
  const restarts = async () => (await processStates(paths, machine)).find(({ name }) => name === log)?.restarts ?? 0;
  const restartsBefore = await restarts();
  let lookedMs = startMs;
  while (!(await holds())) {
    await clock.sleep(pollMs, signal);
    if (clock.monotonic() - lookedMs < processPollMs) continue;
    lookedMs = clock.monotonic();
    if ((await restarts()) - restartsBefore >= mostRestarts) {
      throw new ClusterError(
        "CRASHING",
        `${what}: it ends again and again; the last lines of its log (skiff logs ${log}):\n${await logTail(paths, log, 8)}`,
      );
    }
    const waitedMs = lookedMs - startMs;
    const gone = waitedMs > 3_000 && (await livingSupervisor(paths, machine)) === undefined;
    if (!gone && waitedMs <= waiting.deadlineMs) continue;
    const source = gone ? "supervisor" : log;
    throw new ClusterError(
      "NOT_STARTED",
      `${what}; the last lines of its log (skiff logs ${source}):\n${await logTail(paths, source, 8)}`,
    );
  }
}
