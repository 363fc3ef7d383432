type Labels = Readonly<Record<string, string>>;

/** Kubernetes' own labels that kubelets tell of themselves. */
const kubeletLabels: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);

const kubeletDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const reservedDomain = "node-restriction.kubernetes.io";
const kubernetesDomains = ["kubernetes.io", "k8s.io"];

const isIn = (namespace: string, domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);

function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  const namespace = slash < 0 ? "" : label.slice(0, slash);
  if (isIn(namespace, reservedDomain)) return true;
  if (!kubernetesDomains.some((domain) => isIn(namespace, domain))) return false;
  return !kubeletLabels.has(label) && !kubeletDomains.some((domain) => isIn(namespace, domain));
}

/**
 * Labels that differ and that no kubelet may touch: with them it could draw pods to its node that are meant for others. In the
 * order of the alphabet.
 */
export function forbiddenLabels(now: Labels = {}, before: Labels = {}): readonly string[] {
  const all = new Set([...Object.keys(now), ...Object.keys(before)]);
  return [...all].filter((label) => now[label] !== before[label] && isForbidden(label)).sort();
}
