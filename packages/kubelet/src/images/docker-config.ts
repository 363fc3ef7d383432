import type { Secret } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { RegistryAuth } from "@skiff/runtime";

/** A login and the places it is for, as in `https://index.docker.io/v1/`, `ghcr.io/team` or `*.example.com`. */
export interface DockerLogin {
  readonly place: string;
  readonly auth: RegistryAuth;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function loginOf(place: string, entry: unknown): DockerLogin | undefined {
  if (!isJsonObject(entry)) return undefined;
  const joined = text(entry.auth);
  // What is joined counts, whatever stands beside it.
  const [user, ...rest] = joined === undefined ? [] : Buffer.from(joined, "base64").toString("utf8").split(":");
  const username = user ?? text(entry.username);
  const password = joined === undefined ? text(entry.password) : rest.join(":").replace(/\0+$/, "");
  const identityToken = text(entry.identitytoken);
  const registryToken = text(entry.registrytoken);
  return {
    place,
    auth: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(identityToken === undefined ? {} : { identityToken }),
      ...(registryToken === undefined ? {} : { registryToken }),
    },
  };
}

const loginsOf = (entries: JsonObject): readonly DockerLogin[] =>
  Object.entries(entries)
    .map(([place, entry]) => loginOf(place, entry))
    .filter((one) => one !== undefined);

function parseJson(json: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The logins of a Docker configuration: the modern form, with `auths`, or where that is absent the old one. */
export function parseDockerConfig(json: string): readonly DockerLogin[] {
  const parsed = parseJson(json);
  if (parsed === undefined) return [];
  return loginsOf(isJsonObject(parsed.auths) ? parsed.auths : "auths" in parsed ? {} : parsed);
}

/** The logins in a Secret of one of the two types for them; none in others, whatever they hold. */
export function secretLogins({ type, data }: Secret): readonly DockerLogin[] {
  const decoded = (key: string) => Buffer.from(data?.[key] ?? "", "base64").toString("utf8");
  if (type === "kubernetes.io/dockerconfigjson") {
    const auths = parseJson(decoded(".dockerconfigjson"))?.auths;
    return isJsonObject(auths) ? loginsOf(auths) : [];
  }
  if (type === "kubernetes.io/dockercfg") return loginsOf(parseJson(decoded(".dockercfg")) ?? {});
  return [];
}
