/**
 * The part of JSONPath that table columns, scale paths and selectable fields use: fields, quoted fields, indexes, slices of all
 * items and comparisons. https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */

/** A compiled expression. */
export interface JsonPath {
  readonly text: string;
  /** All values that the path leads to, in order; none where it leads nowhere. */
  find(root: unknown): readonly unknown[];
}

type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "slice"; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: "all" }
  | { readonly kind: "descend" }
  | { readonly kind: "filter"; readonly left: JsonPath; readonly operator: string; readonly right: unknown };

const grammar =
  /\.\.|\.?\*|\.((?:[\w/-]|\\.)+)|\[\*\]|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]|\[\s*(['"])(.*?)\5\s*\]|\[\?\(\s*@((?:\.(?:[\w/-]|\\.)+|\[[^\]]*\])*)\s*(?:(==|!=|<=|>=|<|>)\s*(.*?))?\s*\)\]/y;

/** Compiles `.spec.containers[*].image`, `.status.conditions[?(@.type=="Ready")].status` and the like. Throws `Error` for others. */
export function parseJsonPath(text: string): JsonPath {
  let source = text.trim();
  if (source.startsWith("{") && source.endsWith("}")) source = source.slice(1, -1).trim();
  if (source.startsWith("$")) source = source.slice(1);
  if (/^[\w]/.test(source)) source = `.${source}`;
  const steps: Step[] = [];
  let at = source === "." ? 1 : 0;
  while (at < source.length) {
    grammar.lastIndex = at;
    const match = grammar.exec(source);
    if (match === null)
      throw new Error(`unrecognized character in action at ${JSON.stringify(source.slice(at))} of ${text}`);
    at = grammar.lastIndex;
    // After `..` a name follows without a dot of its own: the second dot serves as that.
    if (match[0] === ".." && /\w/.test(source.charAt(at))) at--;
    steps.push(stepOf(match));
  }
  return { text, find: (root) => steps.reduce<readonly unknown[]>(walk, [root]) };
}

const optionalNumber = (text: string | undefined): number | undefined =>
  text === undefined || text === "" ? undefined : Number(text);

function stepOf(match: RegExpExecArray): Step {
  const [whole, name, index, from, to, quote, quoted, left, operator, right] = match;
  if (whole === "..") return { kind: "descend" };
  if (name !== undefined) return { kind: "field", name: name.replaceAll(/\\(.)/g, "$1") };
  if (index !== undefined) return { kind: "index", index: Number(index) };
  if (from !== undefined || to !== undefined)
    return { kind: "slice", from: optionalNumber(from), to: optionalNumber(to) };
  if (quote !== undefined) return { kind: "field", name: quoted ?? "" };
  if (left !== undefined) {
    return { kind: "filter", left: parseJsonPath(left), operator: operator ?? "", right: literalOf(right ?? "") };
  }
  return { kind: "all" };
}

/** The right side of a comparison: quoted text, a number, `true`, `false`. */
function literalOf(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/.exec(text);
  if (quoted !== null) return quoted[2] ?? "";
  if (text === "true" || text === "false") return text === "true";
  if (text !== "" && Number.isFinite(Number(text))) return Number(text);
  if (text === "") return undefined;
  throw new Error(`unrecognized value ${text} in filter`);
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const itemsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];

function walk(found: readonly unknown[], step: Step): readonly unknown[] {
  return found.flatMap((value): readonly unknown[] => {
    switch (step.kind) {
      case "field": {
        const member = isMap(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
        return member === undefined ? [] : [member];
      }
      case "index": {
        const member: unknown = Array.isArray(value) ? value.at(step.index) : undefined;
        return member === undefined ? [] : [member];
      }
      case "slice":
        return Array.isArray(value) ? value.slice(step.from, step.to) : [];
      case "all":
        return itemsOf(value);
      case "descend":
        return descendants(value, 0);
      default:
        return itemsOf(value).filter((item) =>
          step.left.find(item).some((side) => holds(side, step.operator, step.right)),
        );
    }
  });
}

const deepest = 200;

function descendants(value: unknown, depth: number): readonly unknown[] {
  return depth > deepest ? [] : [value, ...itemsOf(value).flatMap((item) => descendants(item, depth + 1))];
}

function holds(left: unknown, operator: string, right: unknown): boolean {
  if (operator === "") return true;
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== typeof right) return false;
  if (typeof left === "number" && typeof right === "number") return ordered(left - right, operator);
  return (
    typeof left === "string" && typeof right === "string" && ordered(left < right ? -1 : left > right ? 1 : 0, operator)
  );
}

function ordered(difference: number, operator: string): boolean {
  if (operator === "<") return difference < 0;
  if (operator === "<=") return difference <= 0;
  return operator === ">" ? difference > 0 : difference >= 0;
}
