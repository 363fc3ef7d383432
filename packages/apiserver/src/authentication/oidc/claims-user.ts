import { describeError, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { UserInfo } from "../../contracts.ts";
import { userToJson } from "../user-json.ts";
import type { ClaimMapping, ClaimsExpression, JwtIssuer, Rule } from "./jwt-issuer.ts";

/** Thrown for claims that make no user. */
export class ClaimError extends Error {
  override name = "ClaimError";
}

/** The user that verified claims stand for. Throws `ClaimError` with Kubernetes' words. */
export function userOfClaims(claims: JsonObject, issuer: JwtIssuer): UserInfo {
  const name = nameOf(claims, issuer.username);
  checkRequired(claims, issuer);
  checkRules(claims, issuer.claimRules ?? [], "claim validation expression");
  const groups = issuer.groups === undefined ? [] : groupsOf(claims, issuer.groups);
  const uid = issuer.uid === undefined ? "" : textOf(claims, issuer.uid, "uid");
  const extra = (issuer.extra ?? []).flatMap(({ key, value }): [string, readonly string[]][] => {
    const values = listOf(evaluated(claims, value, "extra"), "extra");
    return values.length === 0 ? [] : [[key, values]];
  });
  const user: UserInfo = {
    name,
    ...(uid === "" ? {} : { uid }),
    groups,
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
  checkRules(userToJson(user), issuer.userRules ?? [], "user info validation rule");
  return user;
}

function nameOf(claims: JsonObject, mapping: ClaimMapping | ClaimsExpression): string {
  const name = textOf(claims, mapping, "username");
  if (name === "") throw new ClaimError("oidc: claim mapping resulted in an empty username");
  if (typeof mapping === "function") return name;
  // An address that its owner has not confirmed is anybody's.
  if (mapping.claim === "email" && claims.email_verified !== undefined && claims.email_verified !== true) {
    throw new ClaimError("oidc: email not verified");
  }
  return `${mapping.prefix}${name}`;
}

function checkRequired(claims: JsonObject, { requiredClaims }: JwtIssuer): void {
  for (const [claim, value] of Object.entries(requiredClaims)) {
    const found = claims[claim];
    if (found === undefined) throw new ClaimError(`oidc: required claim ${claim} not present in ID token`);
    if (found !== value) {
      const got = isJsonObject(found) ? JSON.stringify(found) : String(found);
      throw new ClaimError(`oidc: required claim ${claim} value does not match. Got = ${got}, want = ${value}`);
    }
  }
}

function checkRules(value: JsonObject, rules: readonly Rule[], what: string): void {
  for (const rule of rules) {
    let holds: boolean;
    try {
      holds = rule.holds(value);
    } catch (error) {
      throw new ClaimError(`oidc: error evaluating ${what}: ${describeError(error)}`);
    }
    if (holds) continue;
    throw new ClaimError(
      `oidc: error evaluating ${what}: validation expression '${rule.source}' failed: ${rule.message}`,
    );
  }
}

function evaluated(claims: JsonObject, expression: ClaimsExpression, what: string): JsonValue {
  try {
    return expression(claims);
  } catch (error) {
    throw new ClaimError(`oidc: error evaluating ${what} claim expression: ${describeError(error)}`);
  }
}

function textOf(claims: JsonObject, mapping: ClaimMapping | ClaimsExpression, what: string): string {
  if (typeof mapping === "function") {
    const value = evaluated(claims, mapping, what);
    if (typeof value === "string") return value;
    throw new ClaimError(
      `oidc: error evaluating ${what} claim expression: ${what} claim expression must return a string`,
    );
  }
  const value = claims[mapping.claim];
  const place = `oidc: parse ${what} claims ${JSON.stringify(mapping.claim)}`;
  if (value === undefined) throw new ClaimError(`${place}: claim not present`);
  if (typeof value === "string") return value;
  throw new ClaimError(`${place}: claim is no text`);
}

/** One group, or a list of them. */
function groupsOf(claims: JsonObject, mapping: ClaimMapping | ClaimsExpression): readonly string[] {
  if (typeof mapping === "function") return listOf(evaluated(claims, mapping, "groups"), "groups");
  const { claim, prefix } = mapping;
  const value = claims[claim];
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [`${prefix}${value}`];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.map((group) => `${prefix}${group}`);
  }
  throw new ClaimError(
    `oidc: parse groups claim ${JSON.stringify(claim)}: claim is neither a text nor a list of texts`,
  );
}

/** Empty texts and nothing at all are no values. */
function listOf(value: JsonValue, what: string): readonly string[] {
  const list = value === null ? [] : Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === "string")) return list.filter((item) => item !== "");
  throw new ClaimError(
    `oidc: error evaluating ${what} claim expression: expression must return a string or a list of strings`,
  );
}
