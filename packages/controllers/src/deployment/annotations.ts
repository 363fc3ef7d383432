/** Annotations by which a Deployment and its ReplicaSets know each other's history. */
export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
/** How clients of `extensions/v1beta1` wish to go back to a revision. */
export const rollbackAnnotation = "deprecated.deployment.rollback.to";
export const templateHashLabel = "pod-template-hash";

const notCopied: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  rollbackAnnotation,
]);
/** Whether an annotation of a Deployment is one of its sets, too. */
export const isCopied = (key: string): boolean => !notCopied.has(key);

/** A history that has grown longer loses its oldest entries. */
const historyLimit = 2000;

type Annotations = Readonly<Record<string, string>>;

/** A revision has up to 64 bits; 0 for what is none. */
const parseRevision = (text: string | undefined): bigint =>
  text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;

const largestCount = 2 ** 31 - 1;

/** A number of pods that a set was annotated with; `undefined` where it was not, or with something else. */
export function countIn(annotations: Annotations, key: string): number | undefined {
  const text = annotations[key] ?? "";
  return /^\d{1,10}$/.test(text) && Number(text) <= largestCount ? Number(text) : undefined;
}

/** The revision that an object carries; 0 where it carries none. */
export function revisionOf(object: {
  readonly metadata: { annotations?: Record<string, string> | undefined };
}): bigint {
  return parseRevision(object.metadata.annotations?.[revisionAnnotation]);
}

/**
 * The annotations of the ReplicaSet that is to be current: what the Deployment carries (its change cause among them), and
 * the new revision, with the one it had before added to its history when an old template comes back.
 */
export function currentAnnotations(
  set: Annotations,
  deployment: Annotations,
  revision: bigint,
): Record<string, string> {
  const copied = Object.entries(deployment).filter(([key]) => isCopied(key));
  const annotations: Record<string, string> = { ...set, ...Object.fromEntries(copied) };
  if (parseRevision(set[revisionAnnotation]) >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  const last = set[revisionAnnotation];
  if (last === undefined) return annotations;
  const history = [...(set[revisionHistoryAnnotation] ?? "").split(","), last].filter((entry) => entry !== "");
  while (history.length > 1 && history.join(",").length > historyLimit) history.shift();
  annotations[revisionHistoryAnnotation] = history.join(",");
  return annotations;
}
