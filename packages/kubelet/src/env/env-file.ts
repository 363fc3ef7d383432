/**
 * The value of a variable in a file of lines `NAME='value'`; `undefined` where the file does not have it. Values stand in
 * single quotes, are taken as they are and may go over several lines; lines that are empty or begin with `#` say nothing.
 * Throws for anything else. https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
 */
export function envFileValue(text: string, key: string): string | undefined {
  const statement = /[ \t]*(?:#[^\n]*|([^='#\n]+)='([^']*)'[ \t]*(?:#[^\n]*)?|)\r?(?:\n|$)/y;
  while (statement.lastIndex < text.length) {
    const from = statement.lastIndex;
    const found = statement.exec(text);
    if (found === null) {
      const line = text.slice(0, from).split("\n").length;
      throw new Error(`invalid environment variable format at line ${line}: expected NAME='value'`);
    }
    const [whole, name, value] = found;
    if (name?.trim() === key) return value;
    if (whole === "") break;
  }
  return undefined;
}
