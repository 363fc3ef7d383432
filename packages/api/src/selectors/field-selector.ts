import { SelectorError } from "./selector-error.ts";

/** One condition on one field. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** A parsed field selector. */
export interface FieldMatcher {
  readonly requirements: readonly FieldRequirement[];
  /** Canonical text, fit for the query parameter `fieldSelector`. */
  readonly text: string;
  /** `read` gives a field's value; the empty string where the object does not say. */
  matches(read: (field: string) => string): boolean;
}

/** Reads `metadata.name=a,status.phase!=Running`; `\\`, `\,` and `\=` stand for themselves. Throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldMatcher {
  const requirements: FieldRequirement[] = [];
  for (const term of termsOf(text)) {
    const parts = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)(.*)$/s.exec(term);
    if (parts === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", operator = "=", value = ""] = parts;
    requirements.push({ field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) });
  }
  return {
    requirements,
    text: requirements.map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`).join(","),
    matches: (read) =>
      requirements.every(({ field, operator, value }) => (read(field) === value) === (operator === "=")),
  };
}

/** Splits at commas that are not escaped; empty terms are left out. */
function termsOf(text: string): string[] {
  return (text.match(/(?:[^\\,]|\\.|\\$)+/gs) ?? []).filter((term) => term !== "");
}

const escapeValue = (value: string): string => value.replaceAll(/[\\,=]/g, (character) => `\\${character}`);

function unescapeValue(value: string): string {
  let text = "";
  for (let at = 0; at < value.length; at++) {
    const character = value.charAt(at);
    if (character === "," || character === "=") {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character}`);
    }
    if (character !== "\\") {
      text += character;
      continue;
    }
    at++;
    const escaped = value.charAt(at);
    if (escaped !== "\\" && escaped !== "," && escaped !== "=") {
      throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    text += escaped;
  }
  return text;
}
