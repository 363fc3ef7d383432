import { Namespaces, Pods, type StatusError } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { objectOf, refused } from "../narrow.ts";
import { failed } from "./failed.ts";

/** By namespace, the labels of nodes that its pods may ask for; under `clusterDefaultNodeSelector` what pods ask for by default. */
export type NodeSelectors = Readonly<Record<string, string>>;

const annotation = "scheduler.alpha.kubernetes.io/node-selector";
const conflict = "pod node label selector conflicts with its namespace node label selector";

type Labels = Readonly<Record<string, string>>;

/**
 * Keeps the pods of a namespace to nodes with its labels.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podnodeselector
 */
export function podNodeSelector(table: ResourceTable, selectors: NodeSelectors = {}): AdmissionPlugin {
  const selectorOf = async ({ namespace = "" }: AdmissionRequest): Promise<Labels> => {
    const namespaces = table.of(Namespaces);
    const { metadata } = namespaces.peek({ name: namespace }) ?? (await namespaces.get({ name: namespace }));
    return labelsOf(metadata.annotations?.[annotation] ?? selectors.clusterDefaultNodeSelector ?? "");
  };
  return {
    name: "PodNodeSelector",
    resources: [Pods],
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
    async admit(request) {
      const spec = objectOf(request, Pods)?.spec;
      if (spec === undefined) return;
      const wanted = await selectorOf(request);
      if (conflicts(wanted, spec.nodeSelector ?? {})) throw refused(request, conflict);
      const merged = { ...wanted, ...spec.nodeSelector };
      if (Object.keys(merged).length > 0) spec.nodeSelector = merged;
    },
    async validate(request) {
      const asked = objectOf(request, Pods)?.spec.nodeSelector ?? {};
      if (conflicts(await selectorOf(request), asked)) throw refused(request, conflict);
      const allowed = labelsOf(selectors[request.namespace ?? ""] ?? "");
      const isAllowed = Object.entries(asked).every(([key, value]) => allowed[key] === value);
      if (Object.keys(allowed).length === 0 || isAllowed) return;
      throw refused(request, "pod node label selector labels conflict with its namespace whitelist");
    },
  };
}

const conflicts = (one: Labels, other: Labels): boolean =>
  Object.entries(one).some(([key, value]) => (other[key] ?? value) !== value);

/** `env=test,zone=a`. Throws `StatusError` for other texts. */
function labelsOf(text: string): Labels {
  if (text === "") return {};
  return Object.fromEntries(
    text.split(",").map((term): [string, string] => {
      const parts = term.split("=");
      const [key, value] = parts;
      if (parts.length !== 2 || key === undefined || value === undefined) throw invalid(term);
      return [key.trim(), value.trim()];
    }),
  );
}

const invalid = (term: string): StatusError => failed(`invalid selector: [${term}]`);
