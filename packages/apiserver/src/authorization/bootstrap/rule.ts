import type { PolicyRule } from "@skiff/api";

/** The default roles list everything in the order of the alphabet. */
const words = (list: string): string[] => list.split(" ").sort();

/** A rule in one line: verbs, group, resources, and where given the names of objects. All are lists separated by blanks. */
export function rule(verbs: string, group: string, resources: string, names?: string): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(group),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

/** A rule for paths outside resources. */
export const pathRule = (verbs: string, urls: string): PolicyRule => ({
  verbs: words(verbs),
  nonResourceURLs: words(urls),
});

/** Every component tells of what it does. The core group's name is empty, hence the blank. */
export const eventsRule = rule("create patch update", " events.k8s.io", "events");

export const read = "get list watch";
export const write = "create update patch delete deletecollection";
export const readWrite = "get list watch create update patch delete deletecollection";
