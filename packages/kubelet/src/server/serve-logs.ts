import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Pod } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { ContainerStatus } from "@skiff/runtime";
import { containerLog, type LogOptions } from "../logs/container-log.ts";
import { podIdentity } from "../pods/pod-identity.ts";
import { findPod, RequestFailure, type ServerContext } from "./target.ts";

const isTrue = (text: string | null): boolean => text === "true" || text === "1";

/** Reads the query of `/containerLogs`, the fields of PodLogOptions. */
export function logOptions(query: URLSearchParams, nowMs: number): LogOptions & { readonly previous: boolean } {
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0)
      throw new RequestFailure(400, `${name} must be a whole number, not negative`);
    return value;
  };
  const tailLines = number("tailLines");
  const limitBytes = number("limitBytes");
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  const sinceMs =
    sinceSeconds !== undefined ? nowMs - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined;
  const stream = query.get("stream");
  return {
    follow: isTrue(query.get("follow")),
    timestamps: isTrue(query.get("timestamps")),
    previous: isTrue(query.get("previous")),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined || Number.isNaN(sinceMs) ? {} : { sinceMs }),
    ...(stream === "Stdout" ? { stream: "stdout" as const } : stream === "Stderr" ? { stream: "stderr" as const } : {}),
  };
}

/** The container whose log is asked for: the newest, or with `previous` the one that ended before it. */
function chosen(context: ServerContext, pod: Pod, name: string, previous: boolean): ContainerStatus {
  const all = context.parts.cache.view(pod.metadata.uid).containers.filter((one) => one.name === name);
  const [last, before] = all;
  if (previous) {
    // While a container waits for its restart, the one that has ended is the previous one.
    const ended = last?.state === "exited" && waits(pod, name) ? last : before;
    if (ended === undefined)
      throw new RequestFailure(400, `previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
    return ended;
  }
  if (last !== undefined && last.state !== "created") return last;
  if (before !== undefined) return before;
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const statuses = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  const reason = statuses.find((one) => one.name === name)?.state?.waiting?.reason ?? "ContainerCreating";
  const what = reason === "ErrImagePull" || reason === "ImagePullBackOff" ? `trying and failing to pull image` : reason;
  throw new RequestFailure(400, `container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${what}`);
}

const waits = (pod: Pod, name: string): boolean =>
  pod.status?.containerStatuses?.some((one) => one.name === name && one.state?.waiting !== undefined) ?? false;

/** Answers `/containerLogs/NAMESPACE/POD/CONTAINER`. */
export async function serveLogs(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  target: { readonly path: readonly string[]; readonly query: URLSearchParams; readonly signal: AbortSignal },
): Promise<void> {
  const [namespace = "", podName = "", container = ""] = target.path;
  const { parts } = context;
  const pod = findPod(context, namespace, podName);
  const known = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []),
    ...(pod.spec.ephemeralContainers ?? []),
  ].some((one) => one.name === container);
  if (!known) throw new RequestFailure(404, `container "${container}" not found in pod "${podName}"`);
  const options = logOptions(target.query, parts.clock.now());
  const status = chosen(context, pod, container, options.previous);
  const path = join(parts.folders.podLogs(podIdentity(pod)), parts.folders.logPath(container, status.attempt));
  const gone = new AbortController();
  request.on("close", () => gone.abort());
  response.on("close", () => gone.abort());
  // Whoever left while it was found out whether they may ask is not heard of again.
  if (response.destroyed || request.socket.destroyed) return;
  const signal = AbortSignal.any([gone.signal, target.signal]);
  const isRunning = async () => {
    const now = parts.cache.view(pod.metadata.uid).containers.find((one) => one.id === status.id);
    if (now?.state === "exited") await parts.cache.logWritten(status.id, signal);
    return now?.state === "running";
  };
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.flushHeaders();
  try {
    // The last lines can be counted once all are there.
    if (status.state === "exited") await parts.cache.logWritten(status.id, signal);
    for await (const piece of containerLog({ path, isRunning, clock: parts.clock }, options, signal)) {
      if (!response.write(piece)) await drained(response, signal);
    }
  } catch (error) {
    if (isAbort(error, signal)) return;
    response.write(
      `unable to retrieve container logs for ${parts.runtimeName}://${status.id}: ${describeError(error)}\n`,
    );
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("drain", resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
