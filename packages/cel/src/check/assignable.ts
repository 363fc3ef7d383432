import { type CelType, types, typeText } from "../types/cel-type.ts";

/**
 * What is known of type parameters while an expression is checked. Tries that fail must leave no trace: work on a `copy`.
 */
export class Substitutions {
  readonly #known: Map<string, CelType>;

  constructor(known: Iterable<readonly [string, CelType]> = []) {
    this.#known = new Map(known);
  }

  copy(): Substitutions {
    return new Substitutions(this.#known);
  }

  find(type: CelType): CelType | undefined {
    return type.kind === "parameter" ? this.#known.get(type.name) : undefined;
  }

  set(name: string, type: CelType): void {
    this.#known.set(name, type);
  }

  /** A type with all that is known filled in; `free` is what unknown parameters become. */
  apply(type: CelType, free: "keep" | "dyn" = "keep"): CelType {
    switch (type.kind) {
      case "parameter": {
        const known = this.#known.get(type.name);
        if (known !== undefined) return this.apply(known, free);
        return free === "dyn" ? types.dyn : type;
      }
      case "list":
        return { ...type, element: this.apply(type.element, free) };
      case "map":
        return { ...type, key: this.apply(type.key, free), value: this.apply(type.value, free) };
      case "optional":
        return types.optional(this.apply(type.value, free));
      case "type":
        return types.type(this.apply(type.of, free));
      default:
        return type;
    }
  }
}

/** What is known afterwards when every `from` can stand where its `to` is expected, else `undefined`. */
export function assignAll(
  known: Substitutions,
  from: readonly CelType[],
  to: readonly CelType[],
): Substitutions | undefined {
  if (from.length !== to.length) return undefined;
  const copy = known.copy();
  return from.every((type, index) => assign(copy, type, to[index] ?? types.error)) ? copy : undefined;
}

function assign(known: Substitutions, from: CelType, to: CelType): boolean {
  if (to.kind === "parameter") {
    const tried = substitute(known, from, to);
    if (tried !== "free") return tried === "fits";
  }
  if (from.kind === "parameter") return substitute(known, to, from) === "fits";
  if (isDynOrError(from) || isDynOrError(to)) return true;
  if (from.kind === "null") return isNullable(to);
  switch (from.kind) {
    case "list":
      return to.kind === "list" && assign(known, from.element, to.element);
    case "map":
      return to.kind === "map" && assign(known, from.key, to.key) && assign(known, from.value, to.value);
    case "optional":
      return to.kind === "optional" && assign(known, from.value, to.value);
    case "object":
    case "opaque":
      return to.kind === from.kind && to.name === from.name;
    default:
      return to.kind === from.kind;
  }
}

/** Whether `type` can be what `parameter` stands for: `free` when nothing is known of it and it cannot be said this way. */
function substitute(known: Substitutions, type: CelType, parameter: CelType): "fits" | "conflicts" | "free" {
  if (parameter.kind !== "parameter") return "free";
  if (type.kind === "parameter" && type.name === parameter.name) return "fits";
  const present = known.find(parameter);
  if (present !== undefined) {
    if (typeText(present) === typeText(type)) return "fits";
    if (!assign(known, type, present)) return "conflicts";
    const general = mostGeneral(type, present);
    if (!occursIn(known, parameter.name, general)) known.set(parameter.name, general);
    return "fits";
  }
  if (occursIn(known, parameter.name, type)) return "free";
  known.set(parameter.name, type);
  return "fits";
}

function occursIn(known: Substitutions, name: string, type: CelType): boolean {
  switch (type.kind) {
    case "parameter": {
      if (type.name === name) return true;
      const bound = known.find(type);
      return bound !== undefined && occursIn(known, name, bound);
    }
    case "list":
      return occursIn(known, name, type.element);
    case "map":
      return occursIn(known, name, type.key) || occursIn(known, name, type.value);
    case "optional":
      return occursIn(known, name, type.value);
    case "type":
      return occursIn(known, name, type.of);
    default:
      return false;
  }
}

const isDynOrError = ({ kind }: CelType): boolean => kind === "dyn" || kind === "error";

const isNullable = ({ kind }: CelType): boolean =>
  kind === "null" ||
  kind === "optional" ||
  kind === "opaque" ||
  kind === "object" ||
  kind === "timestamp" ||
  kind === "duration";

/** The more general of two types that fit each other. */
export const mostGeneral = (a: CelType, b: CelType): CelType => (isLessSpecific(a, b) ? a : b);

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (a.kind === "dyn" || a.kind === "parameter") return true;
  if (b.kind === "dyn" || b.kind === "parameter" || a.kind !== b.kind) return false;
  switch (a.kind) {
    case "list":
      return b.kind === "list" && isLessSpecific(a.element, b.element);
    case "map":
      return b.kind === "map" && isLessSpecific(a.key, b.key) && isLessSpecific(a.value, b.value);
    case "optional":
      return b.kind === "optional" && isLessSpecific(a.value, b.value);
    case "type":
      return true;
    default:
      return typeText(a) === typeText(b);
  }
}
