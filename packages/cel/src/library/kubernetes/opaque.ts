import { noSuchOverload } from "../../evaluate/evaluation-error.ts";
import type { CelValue, OpaqueValue } from "../../values/cel-value.ts";

/** A value of one of Kubernetes' libraries: `T` is what it stands for. */
export class Opaque<T> implements OpaqueValue {
  readonly kind = "opaque";
  readonly typeName: string;
  readonly content: T;
  readonly #same: (a: T, b: T) => boolean;
  readonly size?: number;

  constructor(type: OpaqueType<T>, content: T) {
    this.typeName = type.name;
    this.content = content;
    this.#same = type.same;
    const size = type.size?.(content);
    if (size !== undefined) this.size = size;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof Opaque && this.#same(this.content, other.content);
  }
}

/** One sort of such values. */
export interface OpaqueType<T> {
  readonly name: string;
  readonly same: (a: T, b: T) => boolean;
  readonly size?: (content: T) => number;
  readonly holds: (content: unknown) => content is T;
}

/** What a value of a sort stands for. */
export function contentOf<T>(type: OpaqueType<T>, value: CelValue | undefined): T {
  if (value instanceof Opaque && value.typeName === type.name) {
    const content: unknown = value.content;
    if (type.holds(content)) return content;
  }
  throw noSuchOverload();
}
