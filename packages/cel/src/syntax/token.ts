/** The words of CEL's grammar, by the names that its syntax messages use. */
export type TokenKind =
  | "IDENTIFIER"
  | "ESC_IDENTIFIER"
  | "NUM_INT"
  | "NUM_UINT"
  | "NUM_FLOAT"
  | "STRING"
  | "BYTES"
  | "<EOF>"
  | SymbolKind;

export type SymbolKind = (typeof symbols)[number] | "in" | "true" | "false" | "null";

/** Longer ones first. */
export const symbols = [
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "<",
  ">",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  ".",
  ",",
  "-",
  "!",
  "?",
  ":",
  "+",
  "*",
  "/",
  "%",
] as const;

export const keywords: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ["in", "in"],
  ["true", "true"],
  ["false", "false"],
  ["null", "null"],
]);

/** Words that cannot name a variable or a function, though they can name a field. */
export const reservedWords: ReadonlySet<string> = new Set([
  "as",
  "break",
  "const",
  "continue",
  "else",
  "false",
  "for",
  "function",
  "if",
  "import",
  "in",
  "let",
  "loop",
  "package",
  "namespace",
  "null",
  "return",
  "true",
  "var",
  "void",
  "while",
]);

export interface Token {
  readonly kind: TokenKind;
  /** As the source has it. */
  readonly text: string;
  /** Offset in code points. */
  readonly at: number;
}
