import type { AnonymousRule, ClaimMapping, ClaimsExpression, JwtIssuer, Rule } from "@skiff/apiserver";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { badOption, objectsOf, textOf, textsOf } from "./config-file.ts";
import { claimsType, expressionAt, ruleAt, userType } from "./expressions.ts";

const option = "authentication-config";
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/** What an AuthenticationConfiguration says. */
export interface AuthenticationConfiguration {
  readonly issuers: readonly JwtIssuer[];
  /** Absent where it does not say. */
  readonly anonymous?: AnonymousRule;
}

/** Reads it. Throws `ClusterError` for what is wrong. */
export function parseAuthentication(config: JsonObject): AuthenticationConfiguration {
  const issuers = objectsOf(config.jwt).map((jwt, index) => issuerOf(jwt, `jwt[${index}]`));
  const { anonymous } = config;
  if (!isJsonObject(anonymous)) return { issuers };
  const paths = objectsOf(anonymous.conditions).flatMap(({ path }) => textOf(path) ?? []);
  return {
    issuers,
    anonymous: anonymous.enabled === true && paths.length > 0 ? { paths } : anonymous.enabled === true,
  };
}

function issuerOf(jwt: JsonObject, field: string): JwtIssuer {
  const issuer = isJsonObject(jwt.issuer) ? jwt.issuer : {};
  const url = textOf(issuer.url);
  if (url === undefined || !url.startsWith("https://")) {
    throw badOption(option, `${field}.issuer.url: Invalid value: URL scheme must be https`);
  }
  const audiences = textsOf(issuer.audiences);
  if (audiences.length === 0)
    throw badOption(option, `${field}.issuer.audiences: Required value: at least one audience is required`);
  const mappings = isJsonObject(jwt.claimMappings) ? jwt.claimMappings : {};
  const mapped = (name: string, kinds: readonly ("string" | "list")[]) =>
    mappingOf(mappings[name], `${field}.claimMappings.${name}`, kinds);
  const username = mapped("username", ["string"]);
  if (username === undefined) {
    throw badOption(option, `${field}.claimMappings.username: Required value: claim or expression is required`);
  }
  checkEmail(jwt, field);
  const [groups, uid] = [mapped("groups", ["string", "list"]), mapped("uid", ["string"])];
  const [discoveryUrl, certificateAuthority] = [textOf(issuer.discoveryURL), textOf(issuer.certificateAuthority)];
  return {
    url,
    audiences,
    algorithms,
    username,
    requiredClaims: requiredClaims(jwt),
    claimRules: rulesOf(jwt.claimValidationRules, `${field}.claimValidationRules`, onClaims),
    userRules: rulesOf(jwt.userValidationRules, `${field}.userValidationRules`, onUser),
    extra: extraOf(mappings.extra, `${field}.claimMappings.extra`),
    ...(groups === undefined ? {} : { groups }),
    ...(uid === undefined ? {} : { uid }),
    ...(discoveryUrl === undefined ? {} : { discoveryUrl }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
  };
}

const onClaims = { option, variable: "claims", type: claimsType };
const onUser = { option, variable: "user", type: userType };

function mappingOf(
  value: unknown,
  field: string,
  kinds: readonly ("string" | "list")[],
): ClaimMapping | ClaimsExpression | undefined {
  if (!isJsonObject(value)) return undefined;
  const [claim, expression] = [textOf(value.claim), textOf(value.expression)];
  if (claim !== undefined && expression !== undefined) {
    throw badOption(option, `${field}: Invalid value: claim and expression can't both be set`);
  }
  if (expression !== undefined) {
    return expressionAt({ ...onClaims, field: `${field}.expression` }, expression, kinds);
  }
  return claim === undefined ? undefined : { claim, prefix: textOf(value.prefix) ?? "" };
}

/** Who makes a name of an address must look at whether it is confirmed. */
function checkEmail(jwt: JsonObject, field: string): void {
  const text = JSON.stringify(jwt);
  const mappings = isJsonObject(jwt.claimMappings) ? jwt.claimMappings : {};
  const expression = isJsonObject(mappings.username) ? (textOf(mappings.username.expression) ?? "") : "";
  if (!/claims\??\.\??email\b(?!_)/.test(expression) || text.includes("email_verified")) return;
  throw badOption(
    option,
    `${field}.claimMappings.username.expression: Invalid value: ${JSON.stringify(expression)}: claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression`,
  );
}

const rulesOf = (list: unknown, field: string, on: typeof onClaims | typeof onUser): readonly Rule[] =>
  objectsOf(list).flatMap((rule, index) => {
    const source = textOf(rule.expression);
    if (source === undefined) return [];
    const holds = ruleAt({ ...on, field: `${field}[${index}].expression` }, source);
    return [{ source, message: textOf(rule.message) ?? "", holds }];
  });

const extraOf = (list: unknown, field: string): NonNullable<JwtIssuer["extra"]> =>
  objectsOf(list).map((extra, index) => {
    const [key, source] = [textOf(extra.key), textOf(extra.valueExpression)];
    const place = `${field}[${index}]`;
    if (key === undefined) throw badOption(option, `${place}.key: Required value`);
    if (source === undefined) throw badOption(option, `${place}.valueExpression: Required value`);
    const value = expressionAt({ ...onClaims, field: `${place}.valueExpression` }, source, ["string", "list"]);
    return { key, value };
  });

const requiredClaims = (jwt: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    objectsOf(jwt.claimValidationRules).flatMap(({ claim, requiredValue }): [string, string][] => {
      const name = textOf(claim);
      return name === undefined ? [] : [[name, textOf(requiredValue) ?? ""]];
    }),
  );
