/** What pods and their templates may say, though it is seldom meant. */
import type { Affinity, PodAffinity, PodSpec, PodTemplateSpec } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import { ipWarnings } from "../../validation/address-warnings.ts";
import { dnsLabel } from "../../validation/names.ts";
import { nodeLabelsWarnings, nodeLabelWarning, nodeTermWarnings } from "../node-label-warnings.ts";
import { containerWarnings, fractionWarnings, type PlacedContainer, portWarnings } from "./container-warnings.ts";
import { volumeWarnings } from "./volume-warnings.ts";

type Metadata = Pick<ObjectMeta, "annotations"> | undefined;

/** What to say of a pod. */
export function podWarnings(metadata: ObjectMeta, spec: PodSpec): string[] {
  return [...nameWarnings("the Pod's hostname", metadata.name ?? ""), ...specWarnings("", metadata, spec)];
}

/** What to say of a name that pods' names and hostnames are made of. */
export function nameWarnings(use: string, name: string): string[] {
  const problems = dnsLabel(name);
  if (problems.length === 0) return [];
  const text = `metadata.name: this is used in ${use}, which can result in surprising behavior`;
  return [`${text}; a DNS label is recommended: [${problems.join(" ")}]`];
}

/** What to say of a template at `field`. */
export const templateWarnings = (field: string, { metadata, spec }: PodTemplateSpec): string[] =>
  spec === undefined ? [] : specWarnings(`${field}.`, metadata, spec);

const deprecatedAnnotations: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const seccomp = "seccomp.security.alpha.kubernetes.io/pod";
const containerSeccomp = "container.seccomp.security.alpha.kubernetes.io/";
const appArmor = "container.apparmor.security.beta.kubernetes.io/";

/** `prefix` is empty for pods, `spec.template.` for templates. */
function specWarnings(prefix: string, metadata: Metadata, spec: PodSpec): string[] {
  const field = `${prefix}spec`;
  const annotations = metadata?.annotations;
  const containers = placed(field, spec);
  return [
    ...placementWarnings(field, spec),
    ...annotationWarnings(`${prefix}metadata.annotations`, annotations, deprecatedAnnotations),
    ...(spec.volumes ? volumeWarnings(`${field}.volumes`, spec.volumes) : []),
    ...duplicateWarnings(field, spec),
    ...fractionWarnings(`${field}.overhead`, spec.overhead),
    ...(annotations ? profileWarnings(prefix, annotations, { spec, containers }) : []),
    ...containers.flatMap(containerWarnings),
    ...portWarnings(containers),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...(spec.affinity ? affinityWarnings(`${field}.affinity`, spec.affinity) : []),
    ...addressWarnings(field, spec),
  ];
}

function placed(field: string, spec: PodSpec): readonly PlacedContainer[] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((kind) =>
    (spec[kind] ?? []).map((container, index) => ({ path: `${field}.${kind}[${index}]`, container })),
  );
}

const required = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
const nullSelector = "a null labelSelector results in matching no pod";

function placementWarnings(field: string, spec: PodSpec): string[] {
  const warnings = nodeLabelsWarnings(`${field}.nodeSelector`, spec.nodeSelector);
  const nodes = spec.affinity?.nodeAffinity;
  for (const [index, term] of (nodes?.[required]?.nodeSelectorTerms ?? []).entries()) {
    const path = `${field}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${index}]`;
    warnings.push(...nodeTermWarnings(path, term, { values: false }));
  }
  for (const [index, { preference }] of (nodes?.[preferred] ?? []).entries()) {
    const path = `${field}.affinity.nodeAffinity.${preferred}[${index}].preference`;
    warnings.push(...nodeTermWarnings(path, preference, { values: true }));
  }
  for (const [index, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const path = `${field}.topologySpreadConstraints[${index}]`;
    const message = nodeLabelWarning(topologyKey);
    if (message !== undefined) warnings.push(`${path}.topologyKey: ${topologyKey} is ${message}`);
    if (labelSelector === undefined) warnings.push(`${path}.labelSelector: ${nullSelector}`);
  }
  return warnings;
}

const annotationWarnings = (
  field: string,
  annotations: Readonly<Record<string, string>> | undefined,
  messages: Readonly<Record<string, string>>,
): string[] =>
  annotations === undefined
    ? []
    : Object.keys(messages).flatMap((key) =>
        annotations[key] === undefined ? [] : [`${field}[${key}]: ${messages[key]}`],
      );

function duplicateWarnings(field: string, { hostAliases = [], imagePullSecrets = [] }: PodSpec): string[] {
  const addresses = repeated(hostAliases.map(({ ip }) => ip ?? ""));
  const names = repeated(imagePullSecrets.map(({ name }) => name ?? ""));
  const secrets = `${field}.imagePullSecrets`;
  return [
    ...addresses.map(({ index, text }) => `${field}.hostAliases[${index}].ip: duplicate ip "${text}"`),
    ...names.map(({ index, text }) => `${secrets}[${index}].name: duplicate name "${text}"`),
    ...imagePullSecrets.flatMap(({ name }, index) =>
      name ? [] : [`${secrets}[${index}].name: invalid empty name ""`],
    ),
  ];
}

const repeated = (texts: readonly string[]) =>
  texts.flatMap((text, index) => (texts.indexOf(text) < index ? [{ index, text }] : []));

function profileWarnings(
  prefix: string,
  annotations: Readonly<Record<string, string>>,
  { spec, containers }: { readonly spec: PodSpec; readonly containers: readonly PlacedContainer[] },
): string[] {
  const field = `${prefix}metadata.annotations`;
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {};
  const messages: Record<string, string> = {};
  const seccompMessage = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  if (!seccompProfile) messages[seccomp] = seccompMessage;
  for (const { container } of containers) {
    if (!container.securityContext?.seccompProfile) messages[containerSeccomp + container.name] = seccompMessage;
    // Of pods, the field is made of the annotation.
    if (prefix === "" || appArmorProfile || container.securityContext?.appArmorProfile) continue;
    messages[appArmor + container.name] = 'deprecated since v1.30; use the "appArmorProfile" field instead';
  }
  return annotationWarnings(field, annotations, messages);
}

function affinityWarnings(field: string, { podAffinity, podAntiAffinity }: Affinity): string[] {
  return [
    ...(podAffinity ? podTermsWarnings(`${field}.podAffinity`, podAffinity) : []),
    ...(podAntiAffinity ? podTermsWarnings(`${field}.podAntiAffinity`, podAntiAffinity) : []),
  ];
}

const podTermsWarnings = (field: string, affinity: PodAffinity): string[] => [
  ...(affinity[required] ?? []).flatMap(({ labelSelector }, index) =>
    labelSelector === undefined ? [`${field}.${required}[${index}].labelSelector: ${nullSelector}`] : [],
  ),
  ...(affinity[preferred] ?? []).flatMap(({ podAffinityTerm }, index) =>
    podAffinityTerm?.labelSelector === undefined
      ? [`${field}.${preferred}[${index}].podAffinityTerm.labelSelector: ${nullSelector}`]
      : [],
  ),
];

function addressWarnings(field: string, { dnsConfig, hostAliases = [] }: PodSpec): string[] {
  return [
    ...(dnsConfig?.nameservers ?? []).flatMap((server, index) =>
      ipWarnings(`${field}.dnsConfig.nameservers[${index}]`, server),
    ),
    ...hostAliases.flatMap(({ ip }, index) => ipWarnings(`${field}.hostAliases[${index}].ip`, ip ?? "")),
  ];
}
