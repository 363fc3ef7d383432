import { refusals } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

/** Where a list goes on. `revision` -1: at the newest state, since the one it began at is compacted. */
export interface ContinueToken {
  readonly revision: number;
  /** The first key that is wanted, without the resource's prefix. */
  readonly start: string;
}

/** The token as clients carry it. */
export const encodeToken = ({ revision, start }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");

/** Reads a token. Throws 400 for what is not one. */
export function decodeToken(text: string): ContinueToken {
  const { rv: revision, start, v: version } = parse(text);
  if (version !== "meta.k8s.io/v1") throw notValid("server does not recognize this encoded version");
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || revision === 0 || revision < -1) {
    throw notValid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") throw notValid("encoded start key empty (version meta.k8s.io/v1)");
  if (start.split("/").includes("..")) throw notValid("it contains a path traversal");
  return { revision, start };
}

const notValid = (why: string) => refusals.badRequest(`invalid continue token: continue key is not valid: ${why}`);

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (isJsonObject(value)) return value;
  } catch {
    // Told below: what exactly is wrong with text that never was a token interests nobody.
  }
  throw notValid("it is not a token of this server");
}
