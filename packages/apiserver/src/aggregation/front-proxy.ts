import type { UserInfo } from "../contracts.ts";

/** What this server shows to aggregated API servers, so that they take its word for who asks. PEM. */
export interface FrontProxy {
  readonly certificate: string;
  readonly key: string;
}

const prefix = "x-remote-";

/** True for headers by which a front proxy says who asks: only this server may say it. */
export const isRemoteHeader = (name: string): boolean => name.startsWith(prefix);

/** Bytes that a header's name cannot have are written as in a URL. */
const escaped = (key: string): string =>
  [...Buffer.from(key, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const plain = /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character);
      return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

/** The headers that say who asks. Several values are several headers of one name. */
export function remoteUserHeaders({ name, uid, groups, extra }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    "X-Remote-User": name,
    "X-Remote-Group": [...groups],
    ...(uid === undefined || uid === "" ? {} : { "X-Remote-Uid": uid }),
  };
  for (const [key, values] of Object.entries(extra ?? {})) headers[`X-Remote-Extra-${escaped(key)}`] = [...values];
  return headers;
}
