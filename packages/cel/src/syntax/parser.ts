import type { Expression, Literal } from "./expression.ts";
import type { Issue } from "./issue.ts";
import { pointsIn, tokensOf } from "./lexer.ts";
import { bytesLiteral, integerLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { expandMacro, MacroError } from "./macros.ts";
import { reservedWords, type Token, type TokenKind } from "./token.ts";

/** CEL's own limits: nesting, and code points of a source. */
const deepest = 250;
const longest = 100_000;

/** A source as an expression, or what is wrong with it. */
export type Parsed =
  | { readonly kind: "parsed"; readonly expression: Expression }
  | { readonly kind: "failed"; readonly issues: readonly Issue[] };

/** Reads a source. Never throws. */
export function parse(source: string): Parsed {
  const size = pointsIn(source);
  if (size > longest) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${longest}`;
    return { kind: "failed", issues: [{ at: 0, message }] };
  }
  const { tokens, issues } = tokensOf(source);
  return new Parser(tokens, [...issues]).run();
}

/** Ends parsing: after a wrong word the rest says nothing reliable. */
class SyntaxFailure extends Error {
  override readonly name = "SyntaxFailure";
}

/** What an expression can begin with, and what else may stand there, in the order in which CEL's grammar has the words. */
function startOr(more: readonly string[]): string {
  const starts = new Set(["[", "{", "(", ".", "-", "!", ...more]);
  const signs = ["[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?"].filter((sign) => starts.has(sign));
  const words = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
  return `{${signs.map((sign) => `'${sign}'`).join(", ")}, ${words}}`;
}

const expressionStart = startOr([]);

const relations: ReadonlySet<TokenKind> = new Set<TokenKind>(["<", "<=", ">=", ">", "==", "!=", "in"]);
const sums: ReadonlySet<TokenKind> = new Set<TokenKind>(["+", "-"]);
const products: ReadonlySet<TokenKind> = new Set<TokenKind>(["*", "/", "%"]);

class Parser {
  readonly #tokens: readonly Token[];
  readonly #issues: Issue[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], issues: Issue[]) {
    this.#tokens = tokens;
    this.#issues = issues;
  }

  run(): Parsed {
    try {
      const expression = this.#expression();
      const rest = this.#peek();
      if (rest.kind !== "<EOF>") this.#fail(rest, this.#leftOver(rest));
      if (this.#issues.length === 0) return { kind: "parsed", expression };
    } catch (error) {
      if (!(error instanceof SyntaxFailure)) throw error;
    }
    return { kind: "failed", issues: this.#issues };
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "<EOF>", text: "<EOF>", at: 0 };
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "<EOF>") this.#next++;
    return token;
  }

  #takeIf(kind: TokenKind): Token | undefined {
    return this.#peek().kind === kind ? this.#take() : undefined;
  }

  #expect(kind: TokenKind, expected = `'${kind}'`): Token {
    const token = this.#peek();
    if (token.kind !== kind) this.#fail(token, this.#unexpected(token, expected));
    return this.#take();
  }

  #unexpected(token: Token, expected: string): string {
    return `Syntax error: mismatched input '${token.text}' expecting ${expected}`;
  }

  /** One word too many is called something else than several. */
  #leftOver({ text }: Token): string {
    const single = this.#tokens[this.#next + 1]?.kind === "<EOF>";
    return `Syntax error: ${single ? "extraneous" : "mismatched"} input '${text}' expecting <EOF>`;
  }

  #fail(token: Pick<Token, "at">, message: string): never {
    this.#issues.push({ at: token.at, message });
    throw new SyntaxFailure(message);
  }

  /** A finding after which parsing can go on. */
  #report(at: number, message: string): void {
    this.#issues.push({ at, message });
  }

  #expression(): Expression {
    if (++this.#depth > deepest) this.#fail({ at: 0 }, `expression recursion limit exceeded: ${deepest}`);
    const condition = this.#disjunction();
    const question = this.#takeIf("?");
    if (question === undefined) {
      this.#depth--;
      return condition;
    }
    const then = this.#disjunction();
    this.#expect(":");
    const otherwise = this.#expression();
    this.#depth--;
    return operator("_?_:_", question, [condition, then, otherwise]);
  }

  #disjunction(): Expression {
    return this.#chain("||", "_||_", () => this.#chain("&&", "_&&_", () => this.#relation()));
  }

  /** Operands of a long chain make a tree that is no deeper than it must be. */
  #chain(kind: TokenKind, name: string, operand: () => Expression): Expression {
    const operands = [operand()];
    const operators: Token[] = [];
    for (let token = this.#takeIf(kind); token !== undefined; token = this.#takeIf(kind)) {
      operators.push(token);
      operands.push(operand());
    }
    return balanced(name, operands, operators);
  }

  #relation(): Expression {
    return this.#leftToRight(relations, () =>
      this.#leftToRight(sums, () => this.#leftToRight(products, () => this.#unary())),
    );
  }

  #leftToRight(kinds: ReadonlySet<TokenKind>, operand: () => Expression): Expression {
    let left = operand();
    let count = 0;
    while (kinds.has(this.#peek().kind)) {
      if (++count > deepest * 4) this.#fail({ at: 0 }, `expression recursion limit exceeded: ${deepest}`);
      const token = this.#take();
      const right = operand();
      left = operator(token.kind === "in" ? "@in" : `_${token.kind}_`, token, [left, right]);
    }
    return left;
  }

  #unary(): Expression {
    const first = this.#peek();
    if (first.kind !== "!" && first.kind !== "-") return this.#member();
    let count = 0;
    while (this.#takeIf(first.kind) !== undefined) count++;
    if (first.kind === "-") {
      const number = this.#peek();
      const isNumber = number.kind === "NUM_INT" || number.kind === "NUM_FLOAT";
      if (isNumber && count % 2 === 1)
        return this.#selectors(this.#number(this.#take(), { negative: true, at: first.at }));
    }
    const operand = this.#member();
    if (count % 2 === 0) return operand;
    return operator(first.kind === "!" ? "!_" : "-_", first, [operand]);
  }

  #member(): Expression {
    return this.#selectors(this.#primary());
  }

  #selectors(start: Expression): Expression {
    let operand = start;
    for (let count = 0; ; count++) {
      if (count > deepest) this.#fail({ at: 0 }, `expression recursion limit exceeded: ${deepest}`);
      const token = this.#peek();
      if (token.kind === ".") operand = this.#dotted(this.#take(), operand);
      else if (token.kind === "[") operand = this.#indexed(this.#take(), operand);
      else return operand;
    }
  }

  #dotted(dot: Token, operand: Expression): Expression {
    const optional = this.#takeIf("?") !== undefined;
    const name = this.#peek();
    if (name.kind !== "IDENTIFIER" && name.kind !== "ESC_IDENTIFIER") {
      this.#fail(name, `Syntax error: no viable alternative at input '.${name.kind === "<EOF>" ? "" : name.text}'`);
    }
    this.#take();
    const field = name.kind === "ESC_IDENTIFIER" ? name.text.slice(1, -1) : name.text;
    if (optional) {
      const key: Expression = { kind: "literal", at: name.at, value: field };
      return operator("_?._", dot, [operand, key]);
    }
    const open = name.kind === "IDENTIFIER" ? this.#takeIf("(") : undefined;
    if (open === undefined) return { kind: "select", at: dot.at, operand, field, testOnly: false };
    return this.#call(open, field, operand);
  }

  #indexed(open: Token, operand: Expression): Expression {
    const optional = this.#takeIf("?") !== undefined;
    const index = this.#expression();
    this.#expect("]");
    return operator(optional ? "_[?_]" : "_[_]", open, [operand, index]);
  }

  #call(open: Token, name: string, target: Expression | undefined): Expression {
    const parameters = this.#list(")", () => this.#expression());
    try {
      const expanded = expandMacro({ name, target, parameters, at: open.at });
      if (expanded !== undefined) return expanded;
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      this.#report(error.at, error.message);
    }
    return { kind: "call", at: open.at, function: name, target, arguments: parameters };
  }

  /** Items up to a closing token; a comma before it is allowed in literals, not in calls. */
  #list<T>(close: TokenKind, item: () => T): T[] {
    const items: T[] = [];
    if (this.#takeIf(close) !== undefined) return items;
    const first = this.#peek();
    if (first.kind === "<EOF>") {
      this.#fail(first, this.#unexpected(first, startOr(close === ")" ? [")"] : [close, ",", "?"])));
    }
    for (;;) {
      items.push(item());
      if (this.#takeIf(close) !== undefined) return items;
      if (this.#peek().kind !== ",") {
        const token = this.#peek();
        this.#fail(token, this.#unexpected(token, close === ")" ? "{')', ','}" : `{'${close}', ','}`));
      }
      this.#take();
      if (close !== ")" && this.#takeIf(close) !== undefined) return items;
    }
  }

  #primary(): Expression {
    const token = this.#take();
    switch (token.kind) {
      case "(": {
        const inner = this.#expression();
        this.#expect(")");
        return inner;
      }
      case "[":
        return this.#listLiteral(token);
      case "{":
        return this.#mapLiteral(token);
      case ".":
      case "IDENTIFIER":
        return this.#name(token);
      default:
        return this.#literal(token);
    }
  }

  #literal(token: Token): Expression {
    const literal = (value: Literal | undefined): Expression => {
      if (value === undefined) this.#report(token.at, `invalid ${token.kind === "BYTES" ? "bytes" : "string"} literal`);
      return { kind: "literal", at: token.at, value: value ?? null };
    };
    switch (token.kind) {
      case "true":
      case "false":
        return literal(token.kind === "true");
      case "null":
        return literal(null);
      case "STRING":
        return literal(stringLiteral(token.text));
      case "BYTES":
        return literal(bytesLiteral(token.text));
      case "NUM_INT":
      case "NUM_UINT":
      case "NUM_FLOAT":
        return this.#number(token, { negative: false, at: token.at });
      default:
        return this.#fail(token, `Syntax error: mismatched input '${token.text}' expecting ${expressionStart}`);
    }
  }

  #number(token: Token, { negative, at }: { readonly negative: boolean; readonly at: number }): Expression {
    const wrong = (what: string): null => {
      this.#report(at, `invalid ${what} literal`);
      return null;
    };
    if (token.kind === "NUM_FLOAT") {
      const value = Number(token.text) * (negative ? -1 : 1);
      return { kind: "literal", at, value: Number.isFinite(value) ? value : wrong("double") };
    }
    if (token.kind === "NUM_UINT") return { kind: "literal", at, value: uintLiteral(token.text) ?? wrong("uint") };
    return { kind: "literal", at, value: integerLiteral(token.text, negative) ?? wrong("int") };
  }

  #name(first: Token): Expression {
    const leading = first.kind === ".";
    const word = leading ? this.#expect("IDENTIFIER", "IDENTIFIER") : first;
    if (reservedWords.has(word.text)) this.#report(first.at, `reserved identifier: ${word.text}`);
    const name = leading ? `.${word.text}` : word.text;
    const open = this.#takeIf("(");
    if (open !== undefined) return this.#call(open, name, undefined);
    return this.#structLiteral(name) ?? { kind: "identifier", at: first.at, name };
  }

  /** `a.b.C{…}`: the dots belong to the type's name when a brace follows them. */
  #structLiteral(first: string): Expression | undefined {
    let ahead = this.#next;
    let name = first;
    while (this.#tokens[ahead]?.kind === "." && this.#tokens[ahead + 1]?.kind === "IDENTIFIER") {
      name += `.${this.#tokens[ahead + 1]?.text}`;
      ahead += 2;
    }
    if (this.#tokens[ahead]?.kind !== "{") return undefined;
    this.#next = ahead;
    const open = this.#take();
    const fields = this.#list("}", () => {
      const optional = this.#takeIf("?") !== undefined;
      const field = this.#peek();
      if (field.kind !== "IDENTIFIER" && field.kind !== "ESC_IDENTIFIER") {
        this.#fail(field, this.#unexpected(field, "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"));
      }
      this.#take();
      const colon = this.#expect(":");
      const named = field.kind === "ESC_IDENTIFIER" ? field.text.slice(1, -1) : field.text;
      return { name: named, value: this.#expression(), optional, at: colon.at };
    });
    return { kind: "struct", at: open.at, typeName: name, fields };
  }

  #listLiteral(open: Token): Expression {
    const optional = new Set<number>();
    let index = 0;
    const elements = this.#list("]", () => {
      if (this.#takeIf("?") !== undefined) optional.add(index);
      index++;
      return this.#expression();
    });
    return { kind: "list", at: open.at, elements, optional };
  }

  #mapLiteral(open: Token): Expression {
    const entries = this.#list("}", () => {
      const optional = this.#takeIf("?") !== undefined;
      const key = this.#expression();
      const colon = this.#expect(":");
      return { key, value: this.#expression(), optional, at: colon.at };
    });
    return { kind: "map", at: open.at, entries };
  }
}

const operator = (name: string, token: Token, operands: readonly Expression[]): Expression => ({
  kind: "call",
  at: token.at,
  function: name,
  target: undefined,
  arguments: operands,
});

function balanced(name: string, operands: readonly Expression[], operators: readonly Token[]): Expression {
  const build = (low: number, high: number): Expression => {
    const middle = Math.floor((low + high + 1) / 2);
    const token = operators[middle];
    const left = middle === low ? operands[middle] : build(low, middle - 1);
    const right = middle === high ? operands[middle + 1] : build(middle + 1, high);
    if (token === undefined || left === undefined || right === undefined)
      throw new RangeError("operators and operands");
    return operator(name, token, [left, right]);
  };
  const [only] = operands;
  if (operators.length === 0 && only !== undefined) return only;
  return build(0, operators.length - 1);
}
