import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { isJsonObject, type JsonObject } from "@skiff/base";

const base64url = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString("base64url");

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A public key with what tokens call it. */
interface PublicKey {
  readonly id: string;
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
}

interface Algorithm {
  readonly name: "RS256" | "ES256" | "ES384" | "ES512";
  readonly digest: string;
}

function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === "rsa") return { name: "RS256", digest: "sha256" };
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case "prime256v1":
      return { name: "ES256", digest: "sha256" };
    case "secp384r1":
      return { name: "ES384", digest: "sha384" };
    case "secp521r1":
      return { name: "ES512", digest: "sha512" };
    default:
      throw new Error("keys of service-account tokens are RSA or ECDSA (P-256, P-384, P-521)");
  }
}

/** The name of a key is the digest of its public half, as Kubernetes has it. */
function publicKeyOf(pem: string): PublicKey {
  const key = createPublicKey(pem);
  const der = key.export({ type: "spki", format: "der" });
  return { id: createHash("sha256").update(der).digest("base64url"), key, algorithm: algorithmOf(key) };
}

/** Signs tokens with one key, and knows the signatures of that and of others: those before it, and those to come. */
export class TokenKeys {
  readonly #private: KeyObject;
  readonly #own: PublicKey;
  readonly #known: readonly PublicKey[];

  /** PEM, RSA or ECDSA. `others`: further keys, private or public, whose tokens are good. */
  constructor(privateKey: string, others: readonly string[] = []) {
    this.#private = createPrivateKey(privateKey);
    this.#own = publicKeyOf(privateKey);
    const more = others.map(publicKeyOf).filter(({ id }) => id !== this.#own.id);
    this.#known = [this.#own, ...more];
  }

  /** A token with these claims. */
  sign(claims: JsonObject): string {
    const { algorithm, id } = this.#own;
    const content = `${base64url({ alg: algorithm.name, kid: id })}.${base64url(claims)}`;
    const key = { key: this.#private, dsaEncoding: "ieee-p1363" } as const;
    return `${content}.${sign(algorithm.digest, Buffer.from(content), key).toString("base64url")}`;
  }

  /** What a token says, when one of the keys signed it. `undefined` for all other texts. Times are not looked at. */
  verify(token: string): JsonObject | undefined {
    const [header, claims, signature, ...rest] = token.split(".");
    if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return undefined;
    const head = parsePart(header);
    if (!isJsonObject(head)) return undefined;
    const content = Buffer.from(`${header}.${claims}`);
    const bytes = Buffer.from(signature, "base64url");
    const named = this.#known.filter(({ id }) => id === head.kid);
    const signed = (named.length > 0 ? named : this.#known).some(
      ({ key, algorithm }) =>
        algorithm.name === head.alg && verify(algorithm.digest, content, { key, dsaEncoding: "ieee-p1363" }, bytes),
    );
    const said = signed ? parsePart(claims) : undefined;
    return isJsonObject(said) ? said : undefined;
  }

  /** The document of `/openid/v1/jwks`. */
  keySet(): JsonObject {
    return {
      keys: this.#known.map(({ key, id, algorithm }) => {
        const { kty = "", ...numbers } = key.export({ format: "jwk" });
        return { use: "sig", kty, kid: id, alg: algorithm.name, ...onlyTexts(numbers) };
      }),
    };
  }

  /** The algorithms of the keys, for discovery. */
  algorithms(): readonly string[] {
    return [...new Set(this.#known.map(({ algorithm }) => algorithm.name))].sort();
  }
}

const onlyTexts = (record: object): JsonObject =>
  Object.fromEntries(
    Object.entries(record).flatMap(([key, value]): [string, string][] =>
      typeof value === "string" ? [[key, value]] : [],
    ),
  );
