import { refusals, type StatusError } from "@skiff/api";

/** What a client wants of a response. */
export interface Negotiated {
  readonly format: "json" | "yaml" | "protobuf";
  /** The object (or list) itself, a table of it, the metadata of one object, or that of a list's items. */
  readonly form: "object" | "table" | "metadata" | "metadataList";
  /** Version of `meta.k8s.io` for all forms but the first. */
  readonly metaVersion: string;
  /** The media type itself asks for indented text (`;pretty=1`). */
  readonly pretty: boolean;
}

type Form = Pick<Negotiated, "form" | "metaVersion">;

const whole: Form = { form: "object", metaVersion: "v1" };
const plain: Negotiated = { format: "json", ...whole, pretty: false };

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** What there is to choose from, beside JSON and YAML of whole objects. */
export interface AlsoServed {
  /** There is a message for the object: its kind is built in. Metadata alone has one always, tables have none. */
  readonly protobuf: boolean;
  /** Tables can be had; true where absent. */
  readonly tables?: boolean;
  /** Only whole objects can be had: refusals and the like. */
  readonly onlyWhole?: boolean;
  /** The response is a stream of events: there is none in YAML. */
  readonly stream?: boolean;
}

/** In the order in which wildcards choose. */
const formats = [
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
] as const satisfies readonly (readonly [string, Negotiated["format"]])[];

type Known = Map<string, Negotiated | "none">;
const knownBy = new WeakMap<AlsoServed, Known>();
const knownLimit = 500;
const onlyText: AlsoServed = { protobuf: false };

/** Reads an `Accept` header. Throws 406 when nothing that it names can be had. Hand over the same `also` for the same kind of thing. */
export function negotiate(accept: string | undefined, also: AlsoServed = onlyText): Negotiated {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return plain;
  let known = knownBy.get(also);
  if (known === undefined) {
    known = new Map();
    knownBy.set(also, known);
  }
  let found = known.get(accept);
  if (found === undefined) {
    found = choose(accept, also) ?? "none";
    // Headers come from outside: what is remembered of them must be bounded.
    if (known.size >= knownLimit) known.clear();
    known.set(accept, found);
  }
  if (found !== "none") return found;
  throw notAcceptable(also.stream === true);
}

function notAcceptable(stream: boolean): StatusError {
  const types = formats.map(([type]) => type);
  const offered = stream ? types.filter((type) => !type.includes("yaml")).map((type) => `${type};stream=watch`) : types;
  return refusals.notAcceptable(`only the following media types are accepted: ${offered.join(", ")}`);
}

function choose(accept: string, also: AlsoServed): Negotiated | undefined {
  const clauses = accept.split(",").map(clauseOf);
  // Sorting is stable: of equals the first stays the first.
  clauses.sort((a, b) => b.quality - a.quality || precision(b.type) - precision(a.type));
  for (const { type, parameters } of clauses) {
    for (const [name, format] of formats) {
      if (type !== name && type !== "application/*" && type !== "*/*" && type !== "*") continue;
      const found = formOf(format, parameters, also);
      if (found !== undefined) return { format, ...found, pretty: parameters.get("pretty") === "1" };
    }
  }
  return undefined;
}

/** What is said more exactly goes before what is said with wildcards. */
const precision = (type: string): number => (type.startsWith("*") ? 0 : type.endsWith("/*") ? 1 : 2);

function clauseOf(text: string): Clause {
  const [type = "", ...rest] = text.split(";");
  const parameters = new Map(
    rest.map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.split("=");
      return [name.trim(), value.trim()];
    }),
  );
  const quality = Number(parameters.get("q") ?? 1);
  return { type: type.trim(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

/** What of an object a clause asks for; `undefined` where that cannot be had in this format. */
function formOf(
  format: Negotiated["format"],
  parameters: ReadonlyMap<string, string>,
  also: AlsoServed,
): Form | undefined {
  const stream = parameters.get("stream") ?? "";
  if (format === "yaml" ? also.stream === true || stream !== "" : stream !== "" && stream !== "watch") return undefined;
  if ((parameters.get("sv") ?? "") !== "") return undefined;
  if (!["as", "g", "v"].some((name) => parameters.has(name))) {
    return format === "protobuf" && !also.protobuf ? undefined : whole;
  }
  const metaVersion = parameters.get("v") ?? "";
  if (also.onlyWhole === true) return undefined;
  if (parameters.get("g") !== "meta.k8s.io" || (metaVersion !== "v1" && metaVersion !== "v1beta1")) return undefined;
  switch (parameters.get("as")) {
    case "Table":
      return format === "protobuf" || also.tables === false ? undefined : { form: "table", metaVersion };
    case "PartialObjectMetadata":
      return { form: "metadata", metaVersion };
    case "PartialObjectMetadataList":
      return { form: "metadataList", metaVersion };
    default:
      return undefined;
  }
}
