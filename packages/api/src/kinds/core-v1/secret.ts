import { defineResource } from "../../define-resource.ts";
import type { Secret } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { keyPairProblem } from "./key-pair-problem.ts";
import { checkSecret, checkSecretUpdate } from "./secret-validation.ts";

const columns: readonly Column<Secret>[] = [
  {
    title: "Type",
    description: "Used to facilitate programmatic handling of secret data.",
    value: ({ type }) => type ?? "",
  },
  {
    title: "Data",
    description: "Data contains the secret data.",
    value: ({ data }) => Object.keys(data ?? {}).length,
  },
  age,
];

/** `stringData` is for writing only: its entries become entries of `data`, over those of the same key. */
function encodeStringData(secret: Secret): void {
  for (const [key, text] of Object.entries(secret.stringData ?? {})) {
    secret.data ??= {};
    secret.data[key] = Buffer.from(text).toString("base64");
  }
  delete secret.stringData;
}

/** A certificate that does not fit its key is seldom meant. */
function warnings({ type, data = {} }: Secret): string[] {
  if (type !== "kubernetes.io/tls") return [];
  const [certificate = "", key = ""] = [data["tls.crt"], data["tls.key"]].map(decodedText);
  const problem = keyPairProblem(certificate, key);
  return problem === undefined ? [] : [problem];
}

const decodedText = (base64 = ""): string => Buffer.from(base64, "base64").toString();

/** `secrets`. */
export const Secrets = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  columns,
  selectableFields: [{ path: "type", value: ({ type }) => type ?? "" }],
  defaults(secret) {
    encodeStringData(secret);
    secret.type ||= "Opaque";
  },
  warnings,
  validate: (secret) => [...checkSecret(secret)],
  validateUpdate: (secret, old) => [...checkSecretUpdate(secret, old)],
  prepareUpdate(secret, old) {
    if (!secret.type) secret.type = old.type;
  },
});
