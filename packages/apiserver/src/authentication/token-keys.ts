import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { claimsFromJson, claimsToJson, type ServiceAccountClaims } from "./token-claims.ts";

const base64url = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString("base64url");

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Signs service-account tokens (RS256) and knows its own signature again. */
export class TokenKeys {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #keyId: string;

  /** `privateKey`: RSA, PEM. */
  constructor(privateKey: string) {
    this.#private = createPrivateKey(privateKey);
    this.#public = createPublicKey(this.#private);
    const der = this.#public.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
  }

  /** The token that says `claims`. */
  sign(claims: ServiceAccountClaims): string {
    const content = `${base64url({ alg: "RS256", kid: this.#keyId })}.${base64url(claimsToJson(claims))}`;
    return `${content}.${sign("RSA-SHA256", Buffer.from(content), this.#private).toString("base64url")}`;
  }

  /** What a token says, when this key signed it. `undefined` for all other texts. Times are not looked at. */
  verify(token: string): ServiceAccountClaims | undefined {
    const [header, claims, signature, ...rest] = token.split(".");
    if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return undefined;
    const head = parsePart(header);
    if (!isJsonObject(head) || head.alg !== "RS256") return undefined;
    const content = Buffer.from(`${header}.${claims}`);
    if (!verify("RSA-SHA256", content, this.#public, Buffer.from(signature, "base64url"))) return undefined;
    return claimsFromJson(parsePart(claims));
  }

  /** The document of `/openid/v1/jwks`. */
  keySet(): JsonObject {
    const { n, e } = this.#public.export({ format: "jwk" });
    return { keys: [{ use: "sig", kty: "RSA", kid: this.#keyId, alg: "RS256", n, e }] };
  }
}
