import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { UserInfo } from "../../contracts.ts";
import type { JwtIssuer } from "./jwt-issuer.ts";

/** Thrown for claims that make no user. */
export class ClaimError extends Error {
  override name = "ClaimError";
}

/** The user that verified claims stand for. Throws `ClaimError` with Kubernetes' words. */
export function userOfClaims(claims: JsonObject, issuer: JwtIssuer): UserInfo {
  const { username, groups, uidClaim } = issuer;
  const name = textClaim(claims, username.claim, "username");
  // An address that its owner has not confirmed is anybody's.
  if (username.claim === "email" && claims.email_verified !== undefined && claims.email_verified !== true) {
    throw new ClaimError("oidc: email not verified");
  }
  for (const [claim, value] of Object.entries(issuer.requiredClaims)) {
    if (claims[claim] === undefined) throw new ClaimError(`oidc: required claim ${claim} not present in ID token`);
    if (claims[claim] !== value) {
      throw new ClaimError(
        `oidc: required claim ${claim} value does not match. Got = ${shown(claims[claim])}, want = ${value}`,
      );
    }
  }
  if (name === "") throw new ClaimError("oidc: claim mapping resulted in an empty username");
  const uid = uidClaim === undefined ? "" : textClaim(claims, uidClaim, "uid");
  return {
    name: `${username.prefix}${name}`,
    ...(uid === "" ? {} : { uid }),
    groups:
      groups === undefined ? [] : groupsIn(claims[groups.claim], groups.claim).map((one) => `${groups.prefix}${one}`),
  };
}

const shown = (value: JsonValue | undefined): string => (isJsonObject(value) ? JSON.stringify(value) : String(value));

function textClaim(claims: JsonObject, claim: string, what: string): string {
  const value = claims[claim];
  if (value === undefined)
    throw new ClaimError(`oidc: parse ${what} claims ${JSON.stringify(claim)}: claim not present`);
  if (typeof value === "string") return value;
  throw new ClaimError(`oidc: parse ${what} claims ${JSON.stringify(claim)}: claim is no text`);
}

/** One group, or a list of them. */
function groupsIn(value: JsonValue | undefined, claim: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new ClaimError(
    `oidc: parse groups claim ${JSON.stringify(claim)}: claim is neither a text nor a list of texts`,
  );
}
