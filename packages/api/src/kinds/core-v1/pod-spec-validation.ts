import { fieldError } from "../../field-error.ts";
import type { PodDNSConfig, PodSpec } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkIP,
  checkQualifiedName,
  checkRange,
  checkRequiredChoice,
  type Findings,
} from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { formMessage } from "../../validation/names.ts";
import { checkAffinity } from "./affinity-validation.ts";
import { checkContainers, checkEphemeralContainers, checkInitContainers } from "./container-validation.ts";
import { checkFileVolumes } from "./environment-validation.ts";
import { checkOS } from "./pod-os-validation.ts";
import { checkOverhead, checkPodResources } from "./resource-validation.ts";
import { checkSchedulingGates, checkTolerations, checkTopologySpread } from "./scheduling-validation.ts";
import { checkHostUsers, checkPodSecurityContext } from "./security-validation.ts";
import { checkVolumes } from "./volume-validation.ts";
import { checkHostProcess } from "./windows-validation.ts";

/** The spec of a pod or, without metadata, of the template of pods. */
export function* checkPodSpec(field: string, spec: PodSpec, metadata?: ObjectMeta): Findings {
  if (spec.terminationGracePeriodSeconds === undefined) {
    yield fieldError.required(`${field}.terminationGracePeriodSeconds`);
  }
  const { errors, known } = checkVolumes(`${field}.volumes`, spec.volumes ?? [], { metadata });
  yield* errors;
  yield* checkResourceClaims(`${field}.resourceClaims`, spec);
  const setting = { spec, volumes: known };
  yield* checkContainers(`${field}.containers`, setting);
  yield* checkInitContainers(`${field}.initContainers`, setting);
  yield* checkEphemeralContainers(`${field}.ephemeralContainers`, setting);
  yield* checkPodResources(`${field}.resources`, spec);
  yield* checkHostPorts(`${field}.containers`, spec, metadata !== undefined);
  yield* checkRequiredChoice(`${field}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]);
  yield* checkRequiredChoice(`${field}.dnsPolicy`, spec.dnsPolicy, [
    "ClusterFirstWithHostNet",
    "ClusterFirst",
    "Default",
    "None",
  ]);
  yield* checkLabels(`${field}.nodeSelector`, spec.nodeSelector);
  if (spec.securityContext) yield* checkPodSecurityContext(`${field}.securityContext`, spec.securityContext, spec);
  yield* checkPlacement(field, spec);
  yield* checkNames(field, spec);
}

function* checkPlacement(field: string, spec: PodSpec): Findings {
  yield* checkAffinity(`${field}.affinity`, spec.affinity);
  yield* checkDns(`${field}.dnsConfig`, spec.dnsConfig, spec.dnsPolicy);
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    yield* checkQualifiedName(`${field}.readinessGates[${index}].conditionType`, conditionType ?? "");
  }
  yield* checkSchedulingGates(`${field}.schedulingGates`, spec.schedulingGates ?? []);
  yield* checkTopologySpread(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []);
  yield* checkHostProcess(field, spec);
  yield* checkHostUsers(field, spec);
  yield* checkHostnameOverride(field, spec);
}

function* checkNames(field: string, spec: PodSpec): Findings {
  if (spec.serviceAccountName) yield* checkDnsSubdomain(`${field}.serviceAccountName`, spec.serviceAccountName);
  if (spec.nodeName) yield* checkDnsSubdomain(`${field}.nodeName`, spec.nodeName);
  yield* checkRange(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, 2_147_483_647]);
  if (spec.hostname) yield* checkDnsLabel(`${field}.hostname`, spec.hostname);
  if (spec.subdomain) yield* checkDnsLabel(`${field}.subdomain`, spec.subdomain);
  yield* checkTolerations(`${field}.tolerations`, spec.tolerations ?? []);
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    const path = `${field}.hostAliases[${index}]`;
    yield* checkIP(`${path}.ip`, ip ?? "");
    for (const [name, hostname] of (hostnames ?? []).entries()) {
      yield* checkDnsSubdomain(`${path}.hostnames[${name}]`, hostname);
    }
  }
  if (spec.priorityClassName) yield* checkDnsSubdomain(`${field}.priorityClassName`, spec.priorityClassName);
  if (spec.runtimeClassName !== undefined) {
    yield* checkDnsSubdomain(`${field}.runtimeClassName`, spec.runtimeClassName);
  }
  if (spec.preemptionPolicy !== undefined) {
    yield* checkRequiredChoice(`${field}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
  }
  if (spec.overhead) yield* checkOverhead(`${field}.overhead`, spec.overhead);
  yield* checkFileVolumes(field, spec);
  yield* checkOS(field, spec);
}

/** A name for the host that hides all others: nothing else may say what the host is called. */
function* checkHostnameOverride(field: string, spec: PodSpec): Findings {
  const { hostnameOverride: name } = spec;
  if (name === undefined) return;
  const path = `${field}.hostnameOverride`;
  if (spec.setHostnameAsFQDN) {
    yield fieldError.forbidden(path, "may not be specified when setHostnameAsFQDN is true");
  }
  if (spec.hostNetwork) yield fieldError.forbidden(path, "may not be specified when hostNetwork is true");
  if (name.length > 64) yield fieldError.tooLong(path, 64);
  yield* checkDnsSubdomain(path, name);
}

function* checkHostPorts(field: string, spec: PodSpec, isPod: boolean): Findings {
  if (!spec.hostNetwork) return;
  for (const [index, { ports }] of (spec.containers ?? []).entries()) {
    for (const [portIndex, { hostPort = 0, containerPort }] of (ports ?? []).entries()) {
      // Templates may leave it open: it is filled in when the pod comes to be.
      if (hostPort === containerPort || (!isPod && hostPort === 0)) continue;
      const path = `${field}[${index}].ports[${portIndex}].hostPort`;
      yield fieldError.invalid(path, hostPort, "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

function* checkResourceClaims(field: string, { resourceClaims = [] }: PodSpec): Findings {
  const names = new Set<string>();
  for (const [index, claim] of resourceClaims.entries()) {
    const path = `${field}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (!name) yield fieldError.required(`${path}.name`);
    else if (names.has(name)) yield fieldError.duplicate(`${path}.name`, name);
    else yield* checkDnsLabel(`${path}.name`, name);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const message = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      yield fieldError.invalid(path, claim, message);
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const message = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      yield fieldError.invalid(path, claim, message);
    }
    if (resourceClaimName !== undefined) yield* checkDnsSubdomain(`${path}.resourceClaimName`, resourceClaimName);
    if (resourceClaimTemplateName !== undefined) {
      yield* checkDnsSubdomain(`${path}.resourceClaimTemplateName`, resourceClaimTemplateName);
    }
  }
}

const searchForm = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const searchPattern = new RegExp(`^${searchForm}$`);
const searchMessage = formMessage(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  searchForm,
  ["example.com"],
);

function* checkDns(field: string, config: PodDNSConfig | undefined, policy: string | undefined): Findings {
  if (policy === "None") {
    if (!config) return yield fieldError.required(field, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (!config.nameservers?.length) {
      const message = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      return yield fieldError.required(`${field}.nameservers`, message);
    }
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (nameservers.length > 3) {
    yield fieldError.invalid(`${field}.nameservers`, nameservers, "must not have more than 3 nameservers");
  }
  for (const [index, server] of nameservers.entries()) yield* checkIP(`${field}.nameservers[${index}]`, server);
  if (searches.length > 32) {
    yield fieldError.invalid(`${field}.searches`, searches, "must not have more than 32 search paths");
  }
  if (searches.join(" ").length > 2048) {
    const message = "must not have more than 2048 characters (including spaces) in the search list";
    yield fieldError.invalid(`${field}.searches`, searches, message);
  }
  for (const [index, search] of searches.entries()) {
    const name = search.replace(/\.$/, "");
    if (search === "." || searchPattern.test(name)) continue;
    yield fieldError.invalid(`${field}.searches[${index}]`, name, searchMessage);
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) yield fieldError.required(`${field}.options[${index}]`, "must not be empty");
  }
}
