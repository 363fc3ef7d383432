import type { UserInfo } from "../contracts.ts";

/**
 * The users of a token file, by token: lines of CSV with token, user, uid and (optional, quoted) groups. Throws for lines
 * with less. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
 */
export function parseTokenFile(text: string): ReadonlyMap<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [token = "", name, uid, groups = ""] = fieldsOf(line);
    if (name === undefined || uid === undefined) {
      throw new Error(`line ${index + 1} of the token file has less than 3 columns (token, user name, user uid)`);
    }
    if (token === "") continue;
    const named = groups === "" ? [] : groups.split(",").map((group) => group.trim());
    users.set(token, { name, ...(uid === "" ? {} : { uid }), groups: named });
  }
  return users;
}

/** `a,b,"c,d"` is three fields; two quotes inside quotes are one. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (const match of `,${line}`.matchAll(/,\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]?.trim() ?? "");
  }
  return fields;
}
