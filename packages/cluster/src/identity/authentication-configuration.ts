import type { AnonymousRule, ClaimMapping, JwtIssuer } from "@skiff/apiserver";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { badOption, objectsOf, textOf, textsOf } from "./config-file.ts";

const option = "authentication-config";
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/** What an AuthenticationConfiguration says. */
export interface AuthenticationConfiguration {
  readonly issuers: readonly JwtIssuer[];
  /** Absent where it does not say. */
  readonly anonymous?: AnonymousRule;
}

/** Reads it. Throws `ClusterError` for what is wrong, and for expressions (CEL), which are not evaluated. */
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
  refuseExpressions(jwt, mappings, field);
  const username = mappingOf(mappings.username);
  if (username === undefined)
    throw badOption(option, `${field}.claimMappings.username: Required value: claim or expression is required`);
  const groups = mappingOf(mappings.groups);
  const uidClaim = isJsonObject(mappings.uid) ? textOf(mappings.uid.claim) : undefined;
  const [discoveryUrl, certificateAuthority] = [textOf(issuer.discoveryURL), textOf(issuer.certificateAuthority)];
  return {
    url,
    audiences,
    algorithms,
    username,
    requiredClaims: requiredClaims(jwt),
    ...(groups === undefined ? {} : { groups }),
    ...(uidClaim === undefined ? {} : { uidClaim }),
    ...(discoveryUrl === undefined ? {} : { discoveryUrl }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
  };
}

function mappingOf(value: unknown): ClaimMapping | undefined {
  const claim = isJsonObject(value) ? textOf(value.claim) : undefined;
  return claim === undefined ? undefined : { claim, prefix: (isJsonObject(value) && textOf(value.prefix)) || "" };
}

const requiredClaims = (jwt: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    objectsOf(jwt.claimValidationRules).flatMap(({ claim, requiredValue }): [string, string][] => {
      const name = textOf(claim);
      return name === undefined ? [] : [[name, textOf(requiredValue) ?? ""]];
    }),
  );

/** A rule that is passed over would let people in: better not to start. */
function refuseExpressions(jwt: JsonObject, mappings: JsonObject, field: string): void {
  const places: [string, unknown][] = [
    ...objectsOf(jwt.claimValidationRules).map((rule, index): [string, unknown] => [
      `claimValidationRules[${index}].expression`,
      rule.expression,
    ]),
    ...objectsOf(jwt.userValidationRules).map((rule, index): [string, unknown] => [
      `userValidationRules[${index}].expression`,
      rule.expression,
    ]),
    ...["username", "groups", "uid"].map((name): [string, unknown] => {
      const mapping = mappings[name];
      return [`claimMappings.${name}.expression`, isJsonObject(mapping) ? mapping.expression : undefined];
    }),
    ...objectsOf(mappings.extra).map((extra, index): [string, unknown] => [
      `claimMappings.extra[${index}].valueExpression`,
      extra.valueExpression,
    ]),
  ];
  const found = places.find(([, expression]) => textOf(expression) !== undefined);
  if (found !== undefined) throw badOption(option, `${field}.${found[0]}: expressions are not supported yet`);
}
