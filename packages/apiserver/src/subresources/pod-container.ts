import { type Pod, refusals } from "@skiff/api";

const names = (containers: readonly { readonly name: string }[] | undefined): string =>
  (containers ?? []).map(({ name }) => name).join(" ");

/** The container that is meant: the one that is named, or the only one. Throws 400 in Kubernetes' words. */
export function containerOf(pod: Pod, wanted: string | null): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const { name } = pod.metadata;
  if (wanted) {
    const all = [...containers, ...initContainers, ...ephemeralContainers];
    if (all.some((container) => container.name === wanted)) return wanted;
    throw refusals.badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only.name;
  const must = `a container name must be specified for pod ${name}`;
  if (only === undefined) throw refusals.badRequest(must);
  const among = `${must}, choose one of: [${names(containers)}]`;
  throw refusals.badRequest(
    initContainers.length === 0 ? among : `${among} or one of the init containers: [${names(initContainers)}]`,
  );
}

/** The node that a pod is on. Throws 400 where it has none yet. */
export function nodeOf(pod: Pod): string {
  const node = pod.spec?.nodeName;
  if (!node) throw refusals.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}
