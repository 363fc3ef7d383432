import { present } from "@skiff/base";
import { messageFields } from "./generated/message-fields.ts";

/**
 * How a field's value is written: by a letter (`s` string, `b` boolean, `i` integer, `d` double, `y` bytes, `q` quantity, `t` time,
 * `u` time with microseconds, `o` integer or string, `w` JSON as it stands, `l` list in a message of its own, `x` schema or
 * something simpler) or as a message.
 */
export interface MessageField {
  readonly name: string;
  readonly type: string;
  /** `inline`: the message's members stand in the one around it. */
  readonly form: "single" | "list" | "map" | "inline";
  /** Short name of the message, where it is one. */
  readonly message: string | undefined;
}

const forms: Readonly<Record<string, MessageField["form"]>> = { "*": "list", "%": "map", "^": "inline" };

const read = new Map<string, ReadonlyMap<number, MessageField>>();

/** The fields of a message by number; `undefined` for a message that is not known. Read on first use. */
export function fieldsOf(message: string): ReadonlyMap<number, MessageField> | undefined {
  const known = read.get(message);
  if (known !== undefined) return known;
  const text = messageFields[message];
  if (text === undefined) return undefined;
  const fields = new Map(text === "" ? [] : text.split("|").map(parseField));
  read.set(message, fields);
  return fields;
}

function parseField(text: string): [number, MessageField] {
  const [name = "", number = "", notation = ""] = text.split(" ");
  const mark = notation.charAt(0);
  const form = forms[mark] ?? "single";
  const type = form === "single" ? notation : notation.slice(1);
  const message = type.startsWith("@") ? type.slice(1) : undefined;
  return [Number(number), { name, type: message === undefined ? present(type, name) : "@", form, message }];
}
