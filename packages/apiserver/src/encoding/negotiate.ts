import { refusals } from "@skiff/api";

/** What a client wants of a response. */
export interface Negotiated {
  readonly format: "json" | "yaml" | "protobuf";
  /** The object itself, a table of it, or its metadata only. */
  readonly form: "object" | "table" | "metadata";
  /** Version of `meta.k8s.io` for the last two. */
  readonly metaVersion: string;
}

const plain: Negotiated = { format: "json", form: "object", metaVersion: "v1" };

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** What there is beside JSON and YAML. */
export interface AlsoServed {
  /** The object is of a built-in kind, so that there is a message for it. Metadata alone has one always, tables have none. */
  readonly protobuf: boolean;
}

const formats: ReadonlyMap<string, Negotiated["format"]> = new Map([
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
  ["application/*", "json"],
  ["*/*", "json"],
]);

type Known = Map<string, Negotiated | "none">;
const knownOfBuiltIn: Known = new Map();
const knownOfOthers: Known = new Map();
const knownLimit = 500;

/** Reads an `Accept` header. Throws 406 when nothing that it names can be had. */
export function negotiate(accept: string | undefined, also: AlsoServed = { protobuf: false }): Negotiated {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return plain;
  const known = also.protobuf ? knownOfBuiltIn : knownOfOthers;
  let found = known.get(accept);
  if (found === undefined) {
    found = choose(accept, also) ?? "none";
    // Headers come from outside: what is remembered of them must be bounded.
    if (known.size >= knownLimit) known.clear();
    known.set(accept, found);
  }
  if (found !== "none") return found;
  throw refusals.notAcceptable(
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
  );
}

function choose(accept: string, also: AlsoServed): Negotiated | undefined {
  const clauses = accept.split(",").map(clauseOf);
  // Sorting is stable: of equals the first stays the first.
  clauses.sort((a, b) => b.quality - a.quality);
  for (const { type, parameters } of clauses) {
    const format = formats.get(type);
    if (format === undefined) continue;
    const form = formOf(parameters);
    if (form === undefined) continue;
    const hasMessage = form.form === "metadata" || (form.form === "object" && also.protobuf);
    if (format !== "protobuf" || hasMessage) return { format, ...form };
  }
  return undefined;
}

function clauseOf(text: string): Clause {
  const [type = "", ...rest] = text.split(";");
  const parameters = new Map(
    rest.map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.split("=");
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  const quality = Number(parameters.get("q") ?? 1);
  return { type: type.trim().toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

function formOf(parameters: ReadonlyMap<string, string>): Pick<Negotiated, "form" | "metaVersion"> | undefined {
  const wanted = parameters.get("as");
  if (wanted === undefined) return { form: "object", metaVersion: "v1" };
  const metaVersion = parameters.get("v") ?? "";
  if (parameters.get("g") !== "meta.k8s.io" || (metaVersion !== "v1" && metaVersion !== "v1beta1")) return undefined;
  if (wanted === "Table") return { form: "table", metaVersion };
  if (wanted === "PartialObjectMetadata" || wanted === "PartialObjectMetadataList") {
    return { form: "metadata", metaVersion };
  }
  return undefined;
}
