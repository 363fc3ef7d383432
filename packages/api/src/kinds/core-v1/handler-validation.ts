import { fieldError } from "../../field-error.ts";
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from "../../generated/types/core-v1.ts";
import {
  checkChoice,
  checkNonNegative,
  checkPort,
  checkPortNumberOrName,
  checkRequired,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { formMessage } from "../../validation/names.ts";

/** What probes and lifecycle hooks can do; each allows some of it. */
interface Handler {
  readonly exec?: ExecAction | undefined;
  readonly httpGet?: HTTPGetAction | undefined;
  readonly tcpSocket?: TCPSocketAction | undefined;
  readonly grpc?: GRPCAction | undefined;
  readonly sleep?: SleepAction | undefined;
}

/** Exactly one way to handle. `graceSeconds` bounds how long a hook may sleep. */
function* checkHandler(field: string, handler: Handler, graceSeconds: number | undefined): Findings {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given: readonly (readonly [string, Findings | undefined])[] = [
    ["exec", exec && checkExec(`${field}.exec`, exec)],
    ["httpGet", httpGet && checkHttpGet(`${field}.httpGet`, httpGet)],
    ["tcpSocket", tcpSocket && checkPortNumberOrName(`${field}.tcpSocket.port`, tcpSocket.port)],
    ["grpc", grpc && checkPort(`${field}.grpc.port`, grpc.port)],
    ["sleep", sleep && checkSleep(`${field}.sleep`, sleep, graceSeconds)],
  ];
  let first = true;
  for (const [name, findings] of given) {
    if (findings === undefined) continue;
    if (first) yield* findings;
    else yield fieldError.forbidden(`${field}.${name}`, "may not specify more than 1 handler type");
    first = false;
  }
  if (first) yield fieldError.required(field, "must specify a handler type");
}

function* checkExec(field: string, { command }: ExecAction): Findings {
  if (!command?.length) yield fieldError.required(`${field}.command`);
}

const headerForm = "[-A-Za-z0-9]+";
const headerMessage = formMessage("a valid HTTP header must consist of alphanumeric characters or '-'", headerForm, [
  "X-Header-Name",
]);

function* checkHttpGet(field: string, { path, port, scheme, httpHeaders }: HTTPGetAction): Findings {
  yield* checkRequired(`${field}.path`, path);
  yield* checkPortNumberOrName(`${field}.port`, port);
  yield* checkChoice(`${field}.scheme`, scheme ?? "", ["HTTP", "HTTPS"]);
  for (const { name } of httpHeaders ?? []) {
    const fine = /^[-A-Za-z0-9]+$/.test(name);
    yield* invalidFor(`${field}.httpHeaders`, name, fine ? [] : [headerMessage]);
  }
}

function* checkSleep(field: string, { seconds }: SleepAction, graceSeconds: number | undefined): Findings {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return;
  const message = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  yield fieldError.invalid(field, seconds, message);
}

/** The hooks of a container. */
export function* checkLifecycle(field: string, lifecycle: Lifecycle, graceSeconds: number | undefined): Findings {
  const { postStart, preStop } = lifecycle;
  if (postStart) yield* checkHandler(`${field}.postStart`, postStart, graceSeconds);
  if (preStop) yield* checkHandler(`${field}.preStop`, preStop, graceSeconds);
}

/** The probes of a container that may have them. */
export function* checkProbes(
  field: string,
  probes: {
    readonly livenessProbe?: Probe | undefined;
    readonly readinessProbe?: Probe | undefined;
    readonly startupProbe?: Probe | undefined;
  },
): Findings {
  const { livenessProbe, readinessProbe, startupProbe } = probes;
  if (livenessProbe) yield* checkOneSuccess(`${field}.livenessProbe`, livenessProbe);
  if (readinessProbe) {
    yield* checkProbe(`${field}.readinessProbe`, readinessProbe);
    const seconds = readinessProbe.terminationGracePeriodSeconds;
    if (seconds !== undefined) {
      const path = `${field}.readinessProbe.terminationGracePeriodSeconds`;
      yield fieldError.invalid(path, seconds, "must not be set for readinessProbes");
    }
  }
  if (startupProbe) yield* checkOneSuccess(`${field}.startupProbe`, startupProbe);
}

function* checkOneSuccess(field: string, probe: Probe): Findings {
  yield* checkProbe(field, probe);
  if (probe.successThreshold !== 1) {
    yield fieldError.invalid(`${field}.successThreshold`, probe.successThreshold ?? 0, "must be 1");
  }
}

function* checkProbe(field: string, probe: Probe): Findings {
  yield* checkHandler(field, probe, undefined);
  yield* checkNonNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds);
  yield* checkNonNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds);
  yield* checkNonNegative(`${field}.periodSeconds`, probe.periodSeconds);
  yield* checkNonNegative(`${field}.successThreshold`, probe.successThreshold);
  yield* checkNonNegative(`${field}.failureThreshold`, probe.failureThreshold);
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) {
    yield fieldError.invalid(`${field}.terminationGracePeriodSeconds`, seconds, "must be greater than 0");
  }
}
