/**
 * Replaces `$(NAME)` by the variable's value, as Kubernetes does in commands, arguments and environment values:
 * `$$` is a literal `$` (so `$$(NAME)` stays `$(NAME)`), and a reference to nothing known stays as it is written.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let result = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "$" || at + 1 >= text.length) continue;
    result += text.slice(from, at);
    const next = text[at + 1];
    if (next === "$") {
      result += "$";
      at++;
    } else if (next === "(") {
      const end = text.indexOf(")", at + 2);
      if (end === -1) {
        result += "$(";
        at++;
      } else {
        const name = text.slice(at + 2, end);
        result += lookup(name) ?? `$(${name})`;
        at = end;
      }
    } else {
      result += `$${next}`;
      at++;
    }
    from = at + 1;
  }
  return result + text.slice(from);
}
