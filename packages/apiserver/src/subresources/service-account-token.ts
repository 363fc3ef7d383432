import { type KubeObject, Nodes, Pods, refusals, Secrets, ServiceAccounts } from "@skiff/api";
import { type Clock, isJsonObject, type JsonObject, type JsonValue, type Random, timestamp, uuid } from "@skiff/base";
import { expirationErrors } from "../authentication/reviews.ts";
import { type BoundObject, claimsToJson, type ServiceAccountClaims } from "../authentication/token-claims.ts";
import type { TokenKeys } from "../authentication/token-keys.ts";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import { created } from "./created.ts";
import { restrictNodeToken } from "./node-token-restriction.ts";
import { type BodyKind, objectHandler } from "./object-handler.ts";

const defaultSeconds = 3600;
/** Lifetime that the ServiceAccount admission plugin asks for: such tokens live longer than they say, see below. */
const mountedSeconds = 3607;
const yearSeconds = 365 * 24 * 3600;

/** What tokens are signed with and looked up in. */
export interface TokenIssuing {
  readonly table: ResourceTable;
  readonly keys: TokenKeys;
  /** Who may have tokens for which audience, where kubelets ask. */
  readonly authorizer: AccessAuthorizer;
  readonly issuer: string;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const boundTo = ({ metadata }: KubeObject): BoundObject => ({ name: metadata.name, uid: metadata.uid });

/** `apps` of `apps/v1`, nothing of `v1`. */
const groupOf = ({ apiVersion }: JsonObject): string => text(apiVersion).split("/").slice(0, -1).join("/");

type Bound = Pick<ServiceAccountClaims, "pod" | "secret" | "node">;

/** The object that a token is to end with. Throws 404, 409 and 400 as Kubernetes does. */
async function boundObject(
  { table }: TokenIssuing,
  wanted: JsonObject,
  account: { readonly namespace: string; readonly name: string },
): Promise<Bound> {
  const { namespace } = account;
  const name = text(wanted.name);
  const kind = text(wanted.kind);
  const check = <T extends KubeObject>(object: T): T => {
    const uid = text(wanted.uid);
    if (uid !== "" && uid !== object.metadata.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw refusals.conflict({ group: "", kind, name }, why);
    }
    return object;
  };
  switch (groupOf(wanted) === "" ? kind : "") {
    case "Pod": {
      const pod = check(await table.of(Pods).get({ namespace, name }));
      if (pod.spec?.serviceAccountName !== account.name) {
        throw refusals.badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account.name)} to pod running with different serviceaccount name.`,
        );
      }
      const node = pod.spec.nodeName === undefined ? undefined : table.of(Nodes).peek({ name: pod.spec.nodeName });
      const named = pod.spec.nodeName
        ? { node: node === undefined ? { name: pod.spec.nodeName, uid: "" } : boundTo(node) }
        : {};
      return { pod: boundTo(pod), ...named };
    }
    case "Secret":
      return { secret: boundTo(check(await table.of(Secrets).get({ namespace, name }))) };
    case "Node":
      return { node: boundTo(check(await table.of(Nodes).get({ name }))) };
    default:
      throw refusals.badRequest(
        `cannot bind token to object of type ${groupOf(wanted)}/${text(wanted.apiVersion).split("/").at(-1)}, Kind=${kind}`,
      );
  }
}

const tokenRequest: BodyKind = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  definition: "authentication.v1.TokenRequest",
};

/** `serviceaccounts/token`: signs a token for an account. */
export const serviceAccountToken = (issuing: TokenIssuing): SubresourceHandler =>
  objectHandler(async ({ ref, body = {}, context }) => {
    const { namespace = "", name } = ref;
    const named = isJsonObject(body.metadata) ? text(body.metadata.name) : "";
    if (named !== "" && named !== name) {
      throw refusals.badRequest(`the name of the object (${named}) does not match the name on the URL (${name})`);
    }
    const accounts = issuing.table.of(ServiceAccounts);
    const account = await accounts.get({ namespace, name });
    await accounts.admit(created(accounts, { ref, subresource: "token", body }), context);
    const spec = isJsonObject(body.spec) ? body.spec : {};
    await restrictNodeToken(issuing, { user: context.user, namespace, name, spec });
    const seconds = typeof spec.expirationSeconds === "number" ? spec.expirationSeconds : defaultSeconds;
    const errors = expirationErrors(seconds);
    if (errors.length > 0) {
      throw refusals.invalid({ group: "authentication.k8s.io", kind: "TokenRequest", name: "" }, errors);
    }
    const given = Array.isArray(spec.audiences) ? spec.audiences.filter((item) => typeof item === "string") : [];
    const audiences = given.length === 0 ? [...issuing.audiences] : given;
    const reference = isJsonObject(spec.boundObjectRef) ? spec.boundObjectRef : undefined;
    const bound = reference === undefined ? {} : await boundObject(issuing, reference, { namespace, name });
    const now = Math.floor(issuing.clock.now() / 1000);
    // Programs that read their mounted token once and never again go on for a year; the log tells of them after an hour.
    const own = audiences.every((item) => issuing.audiences.includes(item));
    const isMounted = seconds === mountedSeconds && bound.pod !== undefined && own;
    const claims: ServiceAccountClaims = {
      issuer: issuing.issuer,
      audiences,
      issuedAt: now,
      expires: now + (isMounted ? yearSeconds : seconds),
      id: uuid(issuing.random),
      namespace,
      serviceAccount: boundTo(account),
      ...bound,
      ...(isMounted ? { warnAfter: now + seconds } : {}),
    };
    const token = issuing.keys.sign(claimsToJson(claims));
    return {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: timestamp(now * 1000) },
      spec: {
        audiences,
        expirationSeconds: seconds,
        boundObjectRef: reference ?? null,
      },
      status: { token, expirationTimestamp: timestamp((now + seconds) * 1000) },
    };
  }, tokenRequest);
