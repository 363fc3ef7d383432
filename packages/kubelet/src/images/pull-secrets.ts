import type { Secret } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { RegistryAuth } from "@skiff/runtime";
import { parseImageName } from "./image-name.ts";

interface Credential {
  readonly registry: string;
  readonly auth: RegistryAuth;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function credential(registry: string, entry: unknown): Credential | undefined {
  if (!isJsonObject(entry)) return undefined;
  const joined = text(entry.auth);
  const [user, ...rest] = joined === undefined ? [] : Buffer.from(joined, "base64").toString("utf8").split(":");
  const username = text(entry.username) ?? user;
  const password = text(entry.password) ?? (joined === undefined ? undefined : rest.join(":"));
  const identityToken = text(entry.identitytoken);
  const registryToken = text(entry.registrytoken);
  return {
    registry,
    auth: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(identityToken === undefined ? {} : { identityToken }),
      ...(registryToken === undefined ? {} : { registryToken }),
    },
  };
}

function credentialsOf(secret: Secret): readonly Credential[] {
  const modern = secret.data?.[".dockerconfigjson"];
  const legacy = secret.data?.[".dockercfg"];
  const encoded = modern ?? legacy;
  if (encoded === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    return [];
  }
  const entries = isJsonObject(parsed) ? (modern === undefined ? parsed : parsed.auths) : undefined;
  if (!isJsonObject(entries)) return [];
  return Object.entries(entries)
    .map(([registry, entry]) => credential(registry, entry))
    .filter((one) => one !== undefined);
}

/** `https://index.docker.io/v1/` → `index.docker.io`, `ghcr.io/team` → itself: host, and path where there is one. */
const place = (registry: string): string =>
  registry
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");

function matches(registry: string, image: { registry: string; repository: string }): boolean {
  const [host = "", ...path] = place(registry).split("/");
  const docker = image.registry === "docker.io" && (host === "index.docker.io" || host === "docker.io");
  const parts = host.split(".");
  const imageParts = image.registry.split(".");
  const glob = parts.length === imageParts.length && parts.every((part, at) => part === "*" || part === imageParts[at]);
  const prefix = path.join("/");
  return (
    (docker || glob) && (prefix === "" || image.repository === prefix || image.repository.startsWith(`${prefix}/`))
  );
}

/** The logins that a pod's pull secrets have for an image, the most specific first. */
export function registryLogins(reference: string, secrets: readonly Secret[]): readonly RegistryAuth[] {
  const image = parseImageName(reference);
  if (image === undefined) return [];
  return secrets
    .flatMap(credentialsOf)
    .filter((one) => matches(one.registry, image))
    .sort((a, b) => place(b.registry).length - place(a.registry).length)
    .map((one) => one.auth);
}
