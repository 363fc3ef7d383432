import type { Container, EphemeralContainer, ObjectMeta, PodSpec } from "@skiff/api";

/** What of a pod, or of a template of pods, is judged. */
export interface Subject {
  readonly metadata: ObjectMeta | undefined;
  readonly spec: PodSpec;
}

/** What a control finds wrong: in a word, and where. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** One control of a Pod Security Standard. */
export interface Check {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** Since which minor version of Kubernetes 1 it is in force in which form. */
  readonly versions: readonly { readonly since: number; judge(subject: Subject): Violation | undefined }[];
  /** Controls of the baseline that a stricter one stands in for. */
  readonly overrides?: readonly string[];
}

type AnyContainer = Container | EphemeralContainer;

/** All containers of a pod: those that begin it first, those for debugging last. */
export const containersOf = ({ spec }: Subject): readonly AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

/** Names of the containers for which `isBad` holds. */
export const namesOf = (subject: Subject, isBad: (container: AnyContainer) => boolean): readonly string[] =>
  containersOf(subject)
    .filter(isBad)
    .map(({ name }) => name);

export const pluralize = (one: string, many: string, count: number): string => (count === 1 ? one : many);

/** `"a", "b"`. */
export const quotedList = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(", ");

/** `container "a"`, `containers "a", "b"`. */
export const containersText = (names: readonly string[]): string =>
  `${pluralize("container", "containers", names.length)} ${quotedList(names)}`;

/** Without doubles, in the order of the alphabet. */
export const sortedSet = (items: Iterable<string>): readonly string[] => [...new Set(items)].sort();

/** `pod and containers "a", "b"`: who sets something; empty where nobody does. */
export const settersText = (pod: boolean, containers: readonly string[]): string =>
  [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [containersText(containers)] : [])].join(" and ");

/** Pods of another system know none of Linux' settings. */
export const isWindows = ({ spec }: Subject): boolean => spec.os?.name === "windows";

/** The superuser of a user namespace is nobody on the node. */
export const hasOwnUsers = ({ spec }: Subject): boolean => spec.hostUsers === false;
