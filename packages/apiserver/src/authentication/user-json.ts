import type { JsonObject } from "@skiff/base";
import type { UserInfo } from "../contracts.ts";

/** A user as reviews show it. */
export function userToJson({ name, uid, groups, extra }: UserInfo): JsonObject {
  const more = Object.entries(extra ?? {}).map(([key, values]): [string, string[]] => [key, [...values]]);
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(more.length === 0 ? {} : { extra: Object.fromEntries(more) }),
  };
}
