import { checkRequirement, type LabelOperator, type LabelRequirement } from "./requirement.ts";
import { SelectorError } from "./selector-error.ts";

type TokenKind = "identifier" | "end" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "in" | "notin";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const end: Token = { kind: "end", text: "" };
const symbols: readonly TokenKind[] = ["==", "!=", "(", ")", ",", "!", "=", ">", "<"];
const binaryOperators = "in, notin, =, ==, !=, gt, lt";

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [word] of text.matchAll(/==|!=|[()!,=<>]|[^()!,=<> \t\r\n]+/g)) {
    const symbol = symbols.find((one) => one === word);
    if (symbol !== undefined) tokens.push({ kind: symbol, text: word });
    else if (word === "in" || word === "notin") tokens.push({ kind: word, text: word });
    else tokens.push({ kind: "identifier", text: word });
  }
  return tokens;
}

/** Reads the requirements of a label selector's text, in the grammar and with the messages of Kubernetes. */
export function parseRequirements(text: string): LabelRequirement[] {
  return new Parser(tokensOf(text)).requirements();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  requirements(): LabelRequirement[] {
    const found: LabelRequirement[] = [];
    if (this.#peek().kind === "end") return found;
    for (;;) {
      const first = this.#peek();
      if (first.kind !== "!" && !isWord(first)) {
        throw new SelectorError(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      }
      found.push(this.#requirement());
      const next = this.#take();
      if (next.kind === "end") return found;
      if (next.kind !== ",") throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!isWord(after) && after.kind !== "!") {
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): LabelRequirement {
    try {
      return this.#readRequirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error });
    }
  }

  #readRequirement(): LabelRequirement {
    const absent = this.#peek().kind === "!";
    if (absent) this.#take();
    const key = this.#identifier();
    if (absent) return checkRequirement({ key, operator: "!", values: [] });
    const next = this.#peek().kind;
    if (next === "end" || next === ",") return checkRequirement({ key, operator: "exists", values: [] });
    // A key by itself is checked before what follows it is read.
    checkRequirement({ key, operator: "exists", values: [] });
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#valueSet() : [this.#exactValue()];
    return checkRequirement({ key, operator, values });
  }

  #identifier(): string {
    const token = this.#take();
    if (!isWord(token)) throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #operator(): LabelOperator {
    const token = this.#take();
    switch (token.kind) {
      case "in":
      case "notin":
      case "=":
      case "==":
      case "!=":
        return token.kind;
      case ">":
        return "gt";
      case "<":
        return "lt";
      default:
        throw new SelectorError(`found '${token.text}', expected: ${binaryOperators}`);
    }
  }

  /** The right side of `=`: may be empty. */
  #exactValue(): string {
    const next = this.#peek();
    return next.kind === "end" || next.kind === "," ? "" : this.#identifier();
  }

  /** `(a, b)`; an item that is left out is the empty string. */
  #valueSet(): string[] {
    const open = this.#take();
    if (open.kind !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (;;) {
      values.add(isWord(this.#peek()) ? this.#take().text : "");
      const next = this.#take();
      if (next.kind === ")") return [...values].sort();
      if (next.kind !== ",") throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }
}

/** Keys and values may be spelt like the word operators. */
const isWord = (token: Token): boolean => token.kind === "identifier" || token.kind === "in" || token.kind === "notin";
