import { RE2JS, RE2JSException } from "re2js";
import { EvaluationError } from "../evaluate/evaluation-error.ts";

const known = new Map<string, RE2JS>();
/** Policies use few patterns; a pattern made of data must not fill the memory. */
const mostKnown = 500;

/** A pattern in RE2's syntax, which matches in time linear in the text. Throws `EvaluationError` for what is none. */
export function regex(pattern: string): RE2JS {
  const found = known.get(pattern);
  if (found !== undefined) return found;
  try {
    const made = RE2JS.compile(pattern);
    if (known.size >= mostKnown) known.clear();
    known.set(pattern, made);
    return made;
  } catch (error) {
    if (error instanceof RE2JSException) throw new EvaluationError(error.message);
    throw error;
  }
}
