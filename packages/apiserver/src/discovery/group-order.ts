import { stabilityOf } from "@skiff/api";

/** Groups in the order in which Kubernetes lists them (by the priority of its API services). */
const builtInGroups = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "storagemigration.k8s.io",
];

const rank = (group: string): number => {
  const index = builtInGroups.indexOf(group);
  if (index !== -1) return index;
  // What has moved elsewhere long ago comes after everything else, so that nobody finds it by a kind's name alone.
  return group === "extensions" ? builtInGroups.length + 1 : builtInGroups.length;
};

/** Orders groups: the built-in ones as Kubernetes does, then all others by name. */
export const compareGroups = (a: string, b: string): number => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);

const stabilityRank = { ga: 2, beta: 1, alpha: 0 } as const;

const numbers = (version: string): readonly number[] => [...version.matchAll(/\d+/g)].map(([digits]) => Number(digits));

/**
 * Orders versions, the preferred one first: stable before beta before alpha, then the higher number; what is no version of
 * Kubernetes' form comes last, by name.
 */
export function compareVersions(a: string, b: string): number {
  const [formA, formB] = [a, b].map((version) => /^v\d+((alpha|beta)\d+)?$/.test(version));
  if (formA !== formB) return formA === true ? -1 : 1;
  if (formA !== true) return a < b ? -1 : a > b ? 1 : 0;
  const stability = stabilityRank[stabilityOf(b)] - stabilityRank[stabilityOf(a)];
  if (stability !== 0) return stability;
  const [majorA = 0, minorA = 0] = numbers(a);
  const [majorB = 0, minorB = 0] = numbers(b);
  return majorB - majorA || minorB - minorA;
}
