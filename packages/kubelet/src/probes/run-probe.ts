import { connect } from "node:net";
import type { Container, HTTPGetAction, Probe } from "@skiff/api";
import { type Clock, describeError, isAbort } from "@skiff/base";
import { type Runtime, RuntimeError } from "@skiff/runtime";
import { grpcHealth } from "./grpc-health.ts";
import { connectText, httpGet, httpTarget, portNumber } from "./http-request.ts";
import type { ProbeResult } from "./probe-result.ts";

export interface ProbeTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  /** Which of the container's probes it is. */
  readonly kind: "startup" | "liveness" | "readiness";
}

export interface ProbeEffects {
  readonly runtime: Runtime;
  readonly clock: Clock;
}

const success: ProbeResult = { kind: "success" };
const failure = (message: string): ProbeResult => ({ kind: "failure", message });
const errored = (message: string): ProbeResult => ({ kind: "errored", message });

/** Runs a probe once. Never throws but when aborted. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  effects: ProbeEffects,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds || 1) * 1000;
  const { containerId, kind } = target;
  const pretended = effects.runtime.pretendedAnswer?.(containerId, { by: kind, command: probe.exec?.command });
  if (pretended !== undefined) return pretended.passes ? success : failure(pretended.message);
  try {
    if (probe.exec !== undefined)
      return await runExec(probe.exec.command ?? [], target, { effects, timeoutMs, signal });
    if (probe.httpGet !== undefined) return await runHttp(probe.httpGet, target, { effects, timeoutMs, signal });
    if (probe.tcpSocket !== undefined) {
      const port = portNumber(probe.tcpSocket.port, target.container);
      if (port === undefined) return errored(`couldn't find port: ${probe.tcpSocket.port}`);
      const host = probe.tcpSocket.host || target.podIp;
      return await runTcp(host, port, { effects, timeoutMs, signal });
    }
    if (probe.grpc !== undefined) {
      const { port, service } = probe.grpc;
      return await grpcHealth(
        { host: target.podIp, port, service: service ?? "" },
        { clock: effects.clock, timeoutMs, signal },
      );
    }
    return errored("missing probe handler");
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return failure(describeError(error));
  }
}

interface Run {
  readonly effects: ProbeEffects;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function runHttp(action: HTTPGetAction, target: ProbeTarget, run: Run): Promise<ProbeResult> {
  const { timeoutMs, signal } = run;
  const request = httpTarget(action, { ...target, agent: "kube-probe" });
  const { status, body } = await httpGet(request, { timeoutMs, clock: run.effects.clock, signal });
  if (status < 200 || status >= 400) return failure(`HTTP probe failed with statuscode: ${status}`);
  return status < 300 ? success : { kind: "success", warning: `Probe terminated redirects, Response body: ${body}` };
}

async function runExec(command: readonly string[], target: ProbeTarget, run: Run): Promise<ProbeResult> {
  try {
    const result = await run.effects.runtime.execSync(target.containerId, command, run.timeoutMs, run.signal);
    const output = Buffer.concat([result.stdout, result.stderr]).subarray(0, 10_240).toString("utf8");
    return result.exitCode === 0 ? success : failure(output.trimEnd());
  } catch (error) {
    if (isAbort(error, run.signal)) throw error;
    if (error instanceof RuntimeError && error.code === "DEADLINE_EXCEEDED")
      return failure(
        `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${run.timeoutMs / 1000}s`,
      );
    return errored(describeError(error));
  }
}

async function runTcp(host: string, port: number, run: Run): Promise<ProbeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeResult>();
  const socket = connect({ host, port, signal: run.signal });
  using _ = run.effects.clock.after(run.timeoutMs, () => {
    resolve(failure(`dial tcp ${host}:${port}: i/o timeout`));
    socket.destroy();
  });
  socket.on("connect", () => resolve(success));
  socket.on("error", (error) => {
    if (isAbort(error)) reject(run.signal.reason ?? error);
    else resolve(failure(connectText(error, { hostname: host, port: String(port) })));
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
