import type { PolicyRule } from "@skiff/api";

/** A rule in one line: verbs, group, resources, and where given the names of objects. All are lists separated by blanks. */
export function rule(verbs: string, group: string, resources: string, names?: string): PolicyRule {
  return {
    verbs: verbs.split(" "),
    apiGroups: group.split(" "),
    resources: resources.split(" "),
    ...(names === undefined ? {} : { resourceNames: names.split(" ") }),
  };
}

/** A rule for paths outside resources. */
export const pathRule = (verbs: string, urls: string): PolicyRule => ({
  verbs: verbs.split(" "),
  nonResourceURLs: urls.split(" "),
});

export const read = "get list watch";
export const write = "create update patch delete deletecollection";
export const readWrite = "get list watch create update patch delete deletecollection";
