import { numbersByValue, textsByPointer } from "./empty-values.ts";
import { type FactSchema, type Facts, shortName } from "./facts.ts";

type FieldFact = readonly [number: number, type: string, repeated?: string];
type MessageFact = Readonly<Record<string, FieldFact>>;

/** The second fact file: the fields of Kubernetes' published protobuf messages. */
export interface ProtobufFacts {
  readonly messages: Readonly<Record<string, MessageFact>>;
}

/** Messages that bodies are made of although the published document does not define them. */
const alsoSpoken = [
  "machinery.runtime.Unknown",
  "meta.v1.CreateOptions",
  "meta.v1.ListOptions",
  "meta.v1.PartialObjectMetadata",
  "meta.v1.PartialObjectMetadataList",
  "meta.v1.PatchOptions",
  "meta.v1.UpdateOptions",
  "meta.v1beta1.PartialObjectMetadataList",
  "policy.v1beta1.Eviction",
];

const places: readonly (readonly [prefix: string, short: string])[] = [
  ["k8s.io.apimachinery.pkg.apis.meta.", "meta."],
  ["k8s.io.apimachinery.pkg.", "machinery."],
  ["k8s.io.apiextensions_apiserver.pkg.apis.", ""],
  ["k8s.io.kube_aggregator.pkg.apis.", ""],
  ["k8s.io.api.", ""],
];

/** `k8s.io.api.core.v1.Pod` → `core.v1.Pod`: the same short names that definitions have. */
function messageName(name: string): string {
  for (const [prefix, short] of places) if (name.startsWith(prefix)) return short + name.slice(prefix.length);
  return name;
}

/** Messages whose JSON is not an object with the message's fields. */
const special: Readonly<Record<string, string>> = {
  "machinery.api.resource.Quantity": "quantity",
  "machinery.util.intstr.IntOrString": "intOrString",
  "machinery.runtime.RawExtension": "json",
  "meta.v1.FieldsV1": "json",
  "meta.v1.Time": "time",
  "meta.v1.MicroTime": "microTime",
  "apiextensions.v1.JSON": "json",
  "apiextensions.v1.JSONSchemaPropsOrArray": "schemaOrArray",
  "apiextensions.v1.JSONSchemaPropsOrBool": "schemaOrBool",
  "apiextensions.v1.JSONSchemaPropsOrStringArray": "schemaOrStrings",
};

const scalars: readonly string[] = ["string", "bytes", "bool", "int32", "int64", "double"];

/** `xKubernetesListType` and `x-kubernetes-list-type`, `aPIGroup` and `apiGroup`: one field in two spellings. */
const spelling = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** `core.v1.Pod` → `core.Pod`. */
const withoutVersion = (message: string): string => message.replace(/\.v\d+(?:(?:alpha|beta)\d+)?\./, ".");

const has = (table: Readonly<Record<string, string>>, message: string, field: string): boolean =>
  (table[withoutVersion(message)] ?? "").split(" ").includes(field);

class MessageTable {
  readonly #messages: ReadonlyMap<string, MessageFact>;
  readonly #definitions: ReadonlyMap<string, FactSchema>;
  readonly #lines = new Map<string, string>();

  constructor(facts: Facts, { messages }: ProtobufFacts) {
    this.#messages = new Map(Object.entries(messages).map(([name, fields]) => [messageName(name), fields]));
    this.#definitions = new Map(Object.entries(facts.definitions).map(([name, schema]) => [shortName(name), schema]));
    for (const name of [...this.#definitions.keys(), ...alsoSpoken]) if (this.#messages.has(name)) this.#add(name);
  }

  lines(): string[] {
    return [...this.#lines]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, line]) => `  ${JSON.stringify(name)}: ${JSON.stringify(line)},`);
  }

  #add(message: string): void {
    if (this.#lines.has(message) || special[message] !== undefined) return;
    this.#lines.set(message, "");
    const fields = Object.entries(this.#messages.get(message) ?? {});
    fields.sort(([, [a]], [, [b]]) => a - b);
    this.#lines.set(message, fields.map(([name, fact]) => this.#field(message, name, fact)).join("|"));
  }

  #field(message: string, name: string, [number, type, repeated]: FieldFact): string {
    const definition = this.#definitions.get(message);
    const member = Object.keys(definition?.properties ?? {}).find((one) => spelling(one) === spelling(name));
    const value = this.#type(type);
    // Go embeds one struct in another; JSON shows the members of both side by side.
    if (definition !== undefined && member === undefined && value.startsWith("@")) return `${name} ${number} ^${value}`;
    const json = member ?? name;
    const keeps = repeated === undefined && this.#keepsEmpty(message, json, value);
    return `${json} ${number} ${repeated === undefined ? "" : "[]"}${value}${keeps ? "!" : ""}`;
  }

  #keepsEmpty(message: string, field: string, type: string): boolean {
    if (!scalars.includes(type)) return false;
    if (this.#definitions.get(message)?.required?.includes(field)) return true;
    if (type === "bytes") return false;
    if (type === "string") return has(textsByPointer, message, field);
    return !has(numbersByValue, message, field);
  }

  #type(type: string): string {
    const map = /^map<string,(.*)>$/.exec(type);
    if (map !== null) return `{}${this.#type(map[1] ?? "")}`;
    const message = messageName(type);
    const fields = this.#messages.get(message);
    if (fields === undefined) return type;
    const known = special[message];
    if (known !== undefined) return known;
    // A list that needed a name in Go, and thereby a message around it.
    if (!this.#definitions.has(message) && fields.items?.[2] !== undefined && Object.keys(fields).length === 1) {
      return "strings";
    }
    this.#add(message);
    return `@${message}`;
  }
}

/** The text of `generated/protobuf.ts`: every message that bodies are made of. */
export function protobufModule(facts: Facts, protobuf: ProtobufFacts): string {
  return [
    `// Generated by tools/generate from the published API of Kubernetes ${facts.kubernetes}. Do not edit.`,
    "",
    "/** The protobuf messages of the API by the short name of their definition (see `protobuf/message-table.ts`). */",
    "export const messages: Readonly<Record<string, string>> = {",
    ...new MessageTable(facts, protobuf).lines(),
    "};",
    "",
  ].join("\n");
}
