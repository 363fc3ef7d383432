import { assert, present } from "@skiff/base";
import { type CelType, types } from "../types/cel-type.ts";

/** A function's declaration, read from text. */
export interface Signature {
  readonly name: string;
  /** Called as `receiver.name(…)`; the receiver is the first parameter. */
  readonly member: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
}

const simple: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ["dyn", types.dyn],
  ["null", types.null],
  ["bool", types.bool],
  ["int", types.int],
  ["uint", types.uint],
  ["double", types.double],
  ["string", types.string],
  ["bytes", types.bytes],
  ["timestamp", types.timestamp],
  ["duration", types.duration],
]);

/**
 * Reads `string.charAt(int): string`, `size(list(A)): int`, `math.greatest(A, B): dyn` (a function of that name: its first
 * word is no type). One capital letter is a type parameter; other words are opaque types.
 */
export function signatureOf(text: string): Signature {
  const reader = new SignatureReader(text);
  return reader.read();
}

class SignatureReader {
  readonly #text: string;
  #index = 0;

  constructor(text: string) {
    this.#text = text.replaceAll(" ", "");
  }

  read(): Signature {
    const open = this.#openOfParameters();
    const head = this.#text.slice(0, open);
    const dot = this.#dotBeforeName(head);
    const receiver = dot < 0 ? undefined : typeText(head.slice(0, dot));
    this.#index = open + 1;
    const parameters = this.#types(")");
    assert(this.#text[this.#index] === ":", this.#text);
    this.#index++;
    const result = this.#type();
    return {
      name: receiver === undefined ? head : head.slice(dot + 1),
      member: receiver !== undefined,
      parameters: receiver === undefined ? parameters : [receiver, ...parameters],
      result,
    };
  }

  /** The bracket that is closed right before the colon of the result. */
  #openOfParameters(): number {
    let depth = 0;
    for (let index = this.#text.lastIndexOf("):"); index >= 0; index--) {
      if (this.#text[index] === ")") depth++;
      if (this.#text[index] === "(" && --depth === 0) return index;
    }
    throw new RangeError(this.#text);
  }

  #dotBeforeName(head: string): number {
    const dot = head.lastIndexOf(".");
    if (dot < 0) return -1;
    const first = head.slice(0, dot);
    return simple.has(first) || /[(A-Z]/.test(first) ? dot : -1;
  }

  #types(close: string): CelType[] {
    const found: CelType[] = [];
    while (this.#text[this.#index] !== close) {
      found.push(this.#type());
      if (this.#text[this.#index] === ",") this.#index++;
    }
    this.#index++;
    return found;
  }

  #type(): CelType {
    const word = /^[A-Za-z_.0-9]+/.exec(this.#text.slice(this.#index))?.[0] ?? "";
    this.#index += word.length;
    const parameters = this.#text[this.#index] === "(" ? this.#parameters() : [];
    const [first, second] = parameters;
    if (word === "list") return types.list(present(first, this.#text));
    if (word === "map") return types.map(present(first, this.#text), present(second, this.#text));
    if (word === "optional") return types.optional(present(first, this.#text));
    if (word === "type") return types.type(first ?? types.dyn);
    if (/^[A-Z]$/.test(word)) return types.parameter(word);
    return simple.get(word) ?? types.opaque(word);
  }

  #parameters(): CelType[] {
    this.#index++;
    return this.#types(")");
  }
}

/** A type by its text. */
export const typeText = (text: string): CelType => signatureOf(`f(): ${text}`).result;
