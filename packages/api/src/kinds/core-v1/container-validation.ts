import { fieldError } from "../../field-error.ts";
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume } from "../../generated/types/core-v1.ts";
import {
  checkDnsLabel,
  checkPort,
  checkPortName,
  checkRequired,
  checkRequiredChoice,
  type Findings,
} from "../../validation/checks.ts";
import { isSidecar } from "../pod-state.ts";
import { checkEnvironment, checkEnvironmentFrom } from "./environment-validation.ts";
import { checkLifecycle, checkProbes } from "./handler-validation.ts";
import { checkContainerResources } from "./resource-validation.ts";
import { checkRestart } from "./restart-rule-validation.ts";
import { checkSecurityContext } from "./security-validation.ts";
import { checkVolumeDevices, checkVolumeMounts } from "./volume-mount-validation.ts";

/** What containers of one pod share. */
export interface ContainerSetting {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
}

/** The containers proper: at least one, with names of their own. */
export function* checkContainers(field: string, setting: ContainerSetting): Findings {
  const containers = setting.spec.containers ?? [];
  if (containers.length === 0) return yield fieldError.required(field);
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = `${field}[${index}]`;
    yield* checkContainer(path, container, setting);
    if (names.has(container.name)) yield fieldError.duplicate(`${path}.name`, container.name);
    names.add(container.name);
    yield* checkRunning(path, container, setting);
    yield* checkRestart(path, container);
  }
  yield* checkHostPorts(field, containers);
}

/** Init containers: those that end before the next begins, and sidecars. */
export function* checkInitContainers(field: string, setting: ContainerSetting): Findings {
  const names = new Set((setting.spec.containers ?? []).map(({ name }) => name));
  for (const [index, container] of (setting.spec.initContainers ?? []).entries()) {
    const path = `${field}[${index}]`;
    yield* checkContainer(path, container, setting);
    yield* checkRestart(path, container);
    if (names.has(container.name)) yield fieldError.duplicate(`${path}.name`, container.name);
    else if (container.name) names.add(container.name);
    yield* checkHostPorts(field, [container]);
    if (isSidecar(container)) {
      yield* checkRunning(path, container, setting);
      continue;
    }
    for (const member of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (container[member] === undefined) continue;
      const message = "may not be set for init containers without restartPolicy=Always";
      yield fieldError.forbidden(`${path}.${member}`, message);
    }
    for (const [at, { restartPolicy }] of (container.resizePolicy ?? []).entries()) {
      if (restartPolicy !== "RestartContainer") continue;
      const message = "must not be set to 'RestartContainer' for non-sidecar initContainers";
      yield fieldError.invalid(`${path}.resizePolicy[${at}].restartPolicy`, restartPolicy, message);
    }
  }
}

const notEphemeral = [
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
] as const;

/** Containers that were added for debugging: nothing that the pod could come to rely on. */
export function* checkEphemeralContainers(field: string, setting: ContainerSetting): Findings {
  const { spec } = setting;
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const path = `${field}[${index}]`;
    yield* checkContainer(path, container, setting);
    yield* checkImagePadding(path, container);
    if (names.has(container.name)) yield fieldError.duplicate(`${path}.name`, container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) yield fieldError.notFound(`${path}.targetContainerName`, target);
    yield* checkEphemeralOnly(path, container);
  }
}

function* checkEphemeralOnly(field: string, container: EphemeralContainer): Findings {
  const message = "cannot be set for an Ephemeral Container";
  for (const member of notEphemeral) {
    const value = container[member];
    if (value !== undefined && Object.keys(value).length > 0) yield fieldError.forbidden(`${field}.${member}`, message);
  }
  for (const [index, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
    const path = `${field}.volumeMounts[${index}]`;
    if (subPath) yield fieldError.forbidden(`${path}.subPath`, message);
    if (subPathExpr) yield fieldError.forbidden(`${path}.subPathExpr`, message);
  }
}

/** What all sorts of containers have alike. */
function* checkContainer(field: string, container: Container, { spec, volumes }: ContainerSetting): Findings {
  if (container.name) yield* checkDnsLabel(`${field}.name`, container.name);
  else yield fieldError.required(`${field}.name`);
  yield* checkRequired(`${field}.image`, container.image);
  yield* checkRequiredChoice(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy, [
    "File",
    "FallbackToLogsOnError",
  ]);
  yield* checkPorts(`${field}.ports`, container.ports ?? []);
  yield* checkEnvironment(`${field}.env`, container.env ?? []);
  yield* checkEnvironmentFrom(`${field}.envFrom`, container.envFrom ?? []);
  yield* checkVolumeMounts(`${field}.volumeMounts`, container, volumes);
  yield* checkVolumeDevices(`${field}.volumeDevices`, container, volumes);
  yield* checkRequiredChoice(`${field}.imagePullPolicy`, container.imagePullPolicy, [
    "Always",
    "IfNotPresent",
    "Never",
  ]);
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  yield* checkContainerResources(`${field}.resources`, container.resources ?? {}, claims);
  yield* checkResizePolicy(`${field}.resizePolicy`, container, spec.restartPolicy);
  const hostUsers = spec.hostUsers !== false;
  yield* checkSecurityContext(`${field}.securityContext`, container.securityContext, { hostUsers });
}

/** What only containers have that keep running. */
function* checkRunning(field: string, container: Container, { spec }: ContainerSetting): Findings {
  if (container.lifecycle) {
    yield* checkLifecycle(`${field}.lifecycle`, container.lifecycle, spec.terminationGracePeriodSeconds);
  }
  yield* checkProbes(field, container);
}

function* checkPorts(field: string, ports: readonly ContainerPort[]): Findings {
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of ports.entries()) {
    const path = `${field}[${index}]`;
    if (name) {
      const problems = [...checkPortName(`${path}.name`, name)];
      yield* problems;
      if (problems.length === 0 && names.has(name)) yield fieldError.duplicate(`${path}.name`, name);
      if (problems.length === 0) names.add(name);
    }
    if (containerPort) yield* checkPort(`${path}.containerPort`, containerPort);
    else yield fieldError.required(`${path}.containerPort`);
    if (hostPort) yield* checkPort(`${path}.hostPort`, hostPort);
    yield* checkRequiredChoice(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
  }
}

/** No two containers can have the same port of the host. */
function* checkHostPorts(field: string, containers: readonly Container[]): Findings {
  const taken = new Set<string>();
  for (const [index, { ports }] of containers.entries()) {
    for (const [portIndex, { protocol, hostIP, hostPort }] of (ports ?? []).entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP ?? ""}/${hostPort}`;
      if (taken.has(key)) yield fieldError.duplicate(`${field}[${index}].ports[${portIndex}].hostPort`, key);
      taken.add(key);
    }
  }
}

function* checkResizePolicy(field: string, container: Container, podRestartPolicy: string | undefined): Findings {
  const names = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of (container.resizePolicy ?? []).entries()) {
    if (names.has(resourceName)) yield fieldError.duplicate(`${field}[${index}]`, resourceName);
    names.add(resourceName);
    yield* checkRequiredChoice(field, resourceName, ["cpu", "memory"]);
    yield* checkRequiredChoice(field, restartPolicy, ["NotRequired", "RestartContainer"]);
    if (podRestartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const message = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      yield fieldError.invalid(field, restartPolicy, message);
    }
  }
}

/** Templates may have images that are filled in later; pods may not. */
export function* checkImagePadding(field: string, { image = "" }: Pick<Container, "image">): Findings {
  if (image.trim() !== image) {
    yield fieldError.invalid(`${field}.image`, image, "must not have leading or trailing whitespace");
  }
}
