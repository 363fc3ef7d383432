import { fieldError } from "../../field-error.ts";
import type { Secret } from "../../generated/types/core-v1.ts";
import { checkImmutable, type Findings } from "../../validation/checks.ts";
import { base64Bytes, checkDataKeys, checkSealed, dataLimitBytes } from "../data-validation.ts";

const serviceAccountName = "kubernetes.io/service-account.name";

export function* checkSecret(secret: Secret): Findings {
  const { data = {}, type } = secret;
  yield* checkDataKeys("data", data);
  const bytes = Object.values(data).reduce((sum, value) => sum + base64Bytes(value), 0);
  if (bytes > dataLimitBytes) yield fieldError.tooLong("data", dataLimitBytes);
  switch (type) {
    case "kubernetes.io/service-account-token":
      if (!secret.metadata.annotations?.[serviceAccountName]) {
        yield fieldError.required(`metadata.annotations[${serviceAccountName}]`);
      }
      break;
    case "kubernetes.io/dockercfg":
      yield* checkJson(".dockercfg", data);
      break;
    case "kubernetes.io/dockerconfigjson":
      yield* checkJson(".dockerconfigjson", data);
      break;
    case "kubernetes.io/basic-auth":
      if (data.username === undefined && data.password === undefined) yield* missing(data, "username", "password");
      break;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) yield fieldError.required("data[ssh-privatekey]");
      break;
    case "kubernetes.io/tls":
      yield* missing(data, "tls.crt", "tls.key");
  }
}

function* missing(data: Readonly<Record<string, string>>, ...keys: readonly string[]): Findings {
  for (const key of keys) if (data[key] === undefined) yield fieldError.required(`data[${key}]`);
}

function* checkJson(key: string, data: Readonly<Record<string, string>>): Findings {
  const value = data[key];
  if (value === undefined) return yield fieldError.required(`data[${key}]`);
  const problem = objectProblem(Buffer.from(value, "base64").toString());
  if (problem !== undefined) yield fieldError.invalid(`data[${key}]`, "<secret contents redacted>", problem);
}

/** Says what is wrong without showing any of the content. */
function objectProblem(text: string): string | undefined {
  if (text.trim() === "") return "unexpected end of JSON input";
  try {
    const value: unknown = JSON.parse(text);
    const fine = typeof value === "object" && !Array.isArray(value);
    return fine ? undefined : "json: cannot unmarshal into Go value of type map[string]interface {}";
  } catch {
    return "invalid character looking for beginning of value";
  }
}

export function* checkSecretUpdate(secret: Secret, old: Secret): Findings {
  yield* checkImmutable("type", secret.type, old.type);
  yield* checkSealed(secret, old, ["data"]);
}
