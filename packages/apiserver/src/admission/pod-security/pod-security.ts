import {
  CronJobs,
  DaemonSets,
  Deployments,
  Jobs,
  Namespaces,
  type Pod,
  Pods,
  PodTemplates,
  ReplicaSets,
  ReplicationControllers,
  type ResourceDefinition,
  refusals,
  StatefulSets,
} from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { isFor, objectOf, oldObjectOf, refused } from "../narrow.ts";
import type { Subject } from "./check.ts";
import { existingPodWarnings } from "./existing-pods.ts";
import { type NamespacePolicy, namespacePolicy, privilegedPolicy } from "./namespace-policy.ts";
import { isSignificant } from "./significant-update.ts";
import { levels, standardText, violations, violationsText } from "./standard.ts";
import { templateOf } from "./template-of.ts";

/** Whom the standards do not concern, and what is asked where namespaces say nothing. */
export interface PodSecurityConfiguration {
  readonly defaults?: NamespacePolicy;
  readonly exemptions?: {
    readonly usernames?: readonly string[];
    readonly runtimeClasses?: readonly string[];
    readonly namespaces?: readonly string[];
  };
}

const workloads: readonly ResourceDefinition[] = [
  ReplicationControllers,
  PodTemplates,
  ReplicaSets,
  Deployments,
  StatefulSets,
  DaemonSets,
  Jobs,
  CronJobs,
];

/** Subresources of pods that change nothing of what is judged. */
const ignored: ReadonlySet<string> = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);

/** Holds pods to the Pod Security Standard that their namespace asks for. https://kubernetes.io/docs/concepts/security/pod-security-admission/ */
export function podSecurity(table: ResourceTable, configuration: PodSecurityConfiguration = {}): AdmissionPlugin {
  const { defaults = privilegedPolicy, exemptions = {} } = configuration;
  const isExemptClass = (name: string | undefined) => !!name && exemptions.runtimeClasses?.includes(name) === true;
  const policyOf = (namespace: string) =>
    namespacePolicy(table.of(Namespaces).peek({ name: namespace })?.metadata.labels, defaults);

  /** `enforce` is for pods only: a template is warned of, its pods are refused. */
  const judge = (request: AdmissionRequest, subject: Subject, enforced: boolean): void => {
    if (isExemptClass(subject.spec.runtimeClassName)) return;
    const { policy, errors } = policyOf(request.namespace ?? "");
    const annotate = (key: string, text: string) => request.annotate?.(`pod-security.kubernetes.io/${key}`, text);
    if (errors.length > 0) annotate("error", "Failed to parse policy");
    const { enforce, audit, warn } = policy;
    const refusedFor = enforced ? violations(enforce, subject) : [];
    if (enforced) annotate("enforce-policy", standardText(enforce));
    const would = (standard: typeof warn, found: readonly Parameters<typeof violationsText>[0][number][]) =>
      `would violate PodSecurity ${JSON.stringify(standardText(standard))}: ${violationsText(found)}`;
    const audited = violations(audit, subject);
    if (audited.length > 0) annotate("audit-violations", would(audit, audited));
    if (refusedFor.length > 0) {
      const what = `violates PodSecurity ${JSON.stringify(standardText(enforce))}: ${violationsText(refusedFor)}`;
      throw refused(request, what);
    }
    const warned = violations(warn, subject);
    if (warned.length > 0) request.warn(would(warn, warned));
  };

  const isLax = ({ namespace = "", user }: AdmissionRequest, forPods: boolean): boolean => {
    if (exemptions.namespaces?.includes(namespace) || exemptions.usernames?.includes(user.name)) return true;
    const { enforce, audit, warn } = policyOf(namespace).policy;
    const concerned = forPods ? [enforce, audit, warn] : [audit, warn];
    return concerned.every(({ level }) => level === "privileged");
  };

  const validatePod = (request: AdmissionRequest): void => {
    const pod = objectOf(request, Pods);
    if (pod === undefined || ignored.has(request.subresource ?? "") || isLax(request, true)) return;
    const old = request.operation === "UPDATE" ? oldObjectOf(request, Pods) : undefined;
    if (old !== undefined && !isSignificant(pod, old)) return;
    judge(request, pod, true);
  };

  const validateWorkload = (request: AdmissionRequest): void => {
    if (request.subresource !== undefined || isLax(request, false)) return;
    const template = templateOf(request.object);
    if (template !== undefined) judge(request, template, false);
  };

  return {
    name: "PodSecurity",
    resources: [Namespaces, Pods, ...workloads],
    handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
    validate(request) {
      if (isFor(request, Namespaces)) {
        validateNamespace(request, { table, defaults, exempt: exemptions.namespaces ?? [], isExemptClass });
      } else if (isFor(request, Pods)) validatePod(request);
      else validateWorkload(request);
    },
  };
}

function validateNamespace(
  request: AdmissionRequest,
  by: {
    readonly table: ResourceTable;
    readonly defaults: NamespacePolicy;
    readonly exempt: readonly string[];
    isExemptClass(name: string | undefined): boolean;
  },
): void {
  const namespace = objectOf(request, Namespaces);
  if (namespace === undefined || request.subresource !== undefined) return;
  const { name, labels } = namespace.metadata;
  const now = namespacePolicy(labels, by.defaults);
  const old = oldObjectOf(request, Namespaces);
  const before = old === undefined ? undefined : namespacePolicy(old.metadata.labels, by.defaults);
  const wereWrong = before !== undefined && JSON.stringify(before.errors) === JSON.stringify(now.errors);
  if (now.errors.length > 0 && !wereWrong) {
    throw refusals.invalid({ group: "", kind: "Namespace", name }, now.errors);
  }
  if (before === undefined) return;
  const [standard, earlier] = [now.policy.enforce, before.policy.enforce];
  if (standard.level === "privileged" || standardText(standard) === standardText(earlier)) return;
  const relaxed = levels.indexOf(standard.level) <= levels.indexOf(earlier.level);
  if ((standard.version === earlier.version && relaxed) || by.exempt.includes(name)) return;
  const isExempt = ({ spec }: Pod) => by.isExemptClass(spec.runtimeClassName);
  const pods = by.table.of(Pods).peekAll(name);
  for (const warning of existingPodWarnings(name, standard, pods, isExempt)) request.warn(warning);
}
