import type { CustomResourceDefinitions, DynamicObject, ResourceDefinition } from "@skiff/api";

type CustomResourceDefinition = typeof CustomResourceDefinitions extends ResourceDefinition<infer T> ? T : never;

/** The resource that an established CustomResourceDefinition serves, as far as lists, watches and deletion need to know it. */
export function customResources({
  spec,
  status,
}: CustomResourceDefinition): readonly ResourceDefinition<DynamicObject>[] {
  const established = status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  const version =
    spec.versions.find(({ storage, served }) => storage && served) ?? spec.versions.find(({ served }) => served);
  if (established !== true || version === undefined) return [];
  const {
    kind,
    plural,
    singular = kind.toLowerCase(),
    listKind = `${kind}List`,
    shortNames = [],
    categories = [],
  } = spec.names;
  return [
    {
      group: spec.group,
      version: version.name,
      kind,
      listKind,
      plural,
      singular,
      scope: spec.scope === "Namespaced" ? "namespaced" : "cluster",
      shortNames,
      categories,
      ...bare,
    },
  ];
}

const none = () => [];
const nothing = () => {};

/** What a client does not need to know of a resource: the server has the rules. */
const bare: Pick<
  ResourceDefinition<DynamicObject>,
  Exclude<
    keyof ResourceDefinition,
    "group" | "version" | "kind" | "listKind" | "plural" | "singular" | "scope" | "shortNames" | "categories"
  >
> = {
  actions: ["get", "list", "post", "put", "patch", "delete", "deletecollection"],
  subresources: [],
  schema: "",
  storedAs: undefined,
  defaults: nothing,
  prepareCreate: nothing,
  prepareUpdate: nothing,
  prepareStatusUpdate: nothing,
  validate: none,
  validateUpdate: none,
  validateStatusUpdate: none,
  validateName: none,
  changesGeneration: () => false,
  columns: [],
  selectableFields: [],
};
