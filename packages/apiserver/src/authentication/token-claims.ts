import { isJsonObject, type JsonObject } from "@skiff/base";

/** An object that a token names, and with which it ends. */
export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

/** What a service-account token says. Times in epoch seconds. */
export interface ServiceAccountClaims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly issuedAt: number;
  readonly expires: number;
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  readonly pod?: BoundObject;
  readonly secret?: BoundObject;
  readonly node?: BoundObject;
  /** A client that still uses the token after this moment should have renewed it. */
  readonly warnAfter?: number;
}

/** The claims as Kubernetes writes them into the token. */
export function claimsToJson(claims: ServiceAccountClaims): JsonObject {
  const bound = (object: BoundObject | undefined) => (object === undefined ? undefined : { ...object });
  return {
    aud: [...claims.audiences],
    exp: claims.expires,
    iat: claims.issuedAt,
    iss: claims.issuer,
    jti: claims.id,
    "kubernetes.io": {
      namespace: claims.namespace,
      node: bound(claims.node),
      pod: bound(claims.pod),
      secret: bound(claims.secret),
      serviceaccount: { ...claims.serviceAccount },
      warnafter: claims.warnAfter,
    },
    nbf: claims.issuedAt,
    sub: `system:serviceaccount:${claims.namespace}:${claims.serviceAccount.name}`,
  };
}

/** Reads claims; `undefined` where they are not those of a service account. */
export function claimsFromJson(json: unknown): ServiceAccountClaims | undefined {
  if (!isJsonObject(json)) return undefined;
  const { aud, exp, iat, iss, jti, sub } = json;
  const own = json["kubernetes.io"];
  if (!isJsonObject(own)) return undefined;
  const audiences =
    typeof aud === "string" ? [aud] : Array.isArray(aud) ? aud.filter((item) => typeof item === "string") : [];
  const account = boundFromJson(own.serviceaccount);
  const { namespace, warnafter } = own;
  if (typeof namespace !== "string" || account === undefined) return undefined;
  if (typeof iss !== "string" || typeof exp !== "number" || typeof iat !== "number") return undefined;
  if (sub !== `system:serviceaccount:${namespace}:${account.name}`) return undefined;
  const [pod, secret, node] = [own.pod, own.secret, own.node].map(boundFromJson);
  return {
    issuer: iss,
    audiences,
    issuedAt: iat,
    expires: exp,
    id: typeof jti === "string" ? jti : "",
    namespace,
    serviceAccount: account,
    ...(pod === undefined ? {} : { pod }),
    ...(secret === undefined ? {} : { secret }),
    ...(node === undefined ? {} : { node }),
    ...(typeof warnafter === "number" ? { warnAfter: warnafter } : {}),
  };
}

function boundFromJson(json: unknown): BoundObject | undefined {
  if (!isJsonObject(json) || typeof json.name !== "string") return undefined;
  return { name: json.name, uid: typeof json.uid === "string" ? json.uid : "" };
}
