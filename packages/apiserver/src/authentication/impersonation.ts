import { refusals, type StatusError } from "@skiff/api";
import { type Access, type AccessAuthorizer, forbidden } from "../authorization/access.ts";
import type { Exchange, RequestInfo, UserInfo } from "../contracts.ts";
import { type ConstrainedWay, constrainedWays } from "./constrained-impersonation.ts";
import { accountOfUser, serviceAccountUser } from "./service-account-tokens.ts";

type RequestHeaders = Pick<Exchange, "headers" | "headerValues">;

const extraPrefix = "impersonate-extra-";

/** What the `Impersonate-…` headers ask for. */
export interface Wanted {
  readonly user: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: readonly (readonly [key: string, values: readonly string[]])[];
}

/** Every request is asked this, and hardly any says yes. */
function impersonates(headers: Readonly<Record<string, string | undefined>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

function wantedIn(request: RequestHeaders): Wanted | undefined {
  const { headers } = request;
  if (!impersonates(headers)) return undefined;
  const user = headers["impersonate-user"] ?? "";
  const uid = headers["impersonate-uid"];
  const groups = request.headerValues("impersonate-group").filter((group) => group !== "");
  const extra = Object.keys(headers)
    .filter((name) => name.startsWith(extraPrefix))
    .map((name): [string, readonly string[]] => [
      decodeKey(name.slice(extraPrefix.length)),
      request.headerValues(name),
    ]);
  if (user === "" && uid === undefined && groups.length === 0 && extra.length === 0) return undefined;
  if (user === "") {
    const said = referencesOf({ uid, groups, extra });
    throw refusals.internal(`requested [${said.join(" ")}] without impersonating a user`);
  }
  return { user, uid, groups, extra };
}

/** What is asked for as Kubernetes prints object references: kind, namespace, name, uid, version, revision, field. */
function referencesOf({ uid, groups, extra }: Omit<Wanted, "user">): string[] {
  const version = "authentication.k8s.io/v1";
  return [
    ...groups.map((name) => `{Group  ${name}    }`),
    ...extra.flatMap(([key, values]) => values.map((value) => `{UserExtra  ${value}  ${version}  ${key}}`)),
    ...(uid === undefined ? [] : [`{UID  ${uid}  ${version}  }`]),
  ];
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key;
  }
}

const impersonators = new WeakMap<UserInfo, UserInfo>();

/** Who acts as this user; `undefined` where users act as themselves. */
export const impersonator = (user: UserInfo): UserInfo | undefined => impersonators.get(user);

/** Lets those who may (`impersonate`) act as somebody else. */
export class Impersonation {
  readonly #authorizer: AccessAuthorizer;

  constructor(authorizer: AccessAuthorizer) {
    this.#authorizer = authorizer;
  }

  /** The user that the headers ask for, or `user` itself. Throws 403 for what `user` may not impersonate. */
  apply(user: UserInfo, headers: RequestHeaders, request: RequestInfo): UserInfo | Promise<UserInfo> {
    const wanted = wantedIn(headers);
    return wanted === undefined ? user : this.#impersonate(user, wanted, request);
  }

  async #impersonate(user: UserInfo, wanted: Wanted, request: RequestInfo): Promise<UserInfo> {
    const way = await this.#constrainedWay(user, wanted, request);
    if (way === undefined) {
      const refusal = await this.#refusal(user, accessesFor(wanted));
      if (refusal !== undefined) throw refusal;
    }
    const other = impersonated(way?.groups === undefined ? wanted : { ...wanted, groups: way.groups });
    impersonators.set(other, user);
    return other;
  }

  async #constrainedWay(user: UserInfo, wanted: Wanted, request: RequestInfo): Promise<ConstrainedWay | undefined> {
    for (const way of constrainedWays(user, wanted, request)) {
      if ((await this.#refusal(user, way.accesses)) === undefined) return way;
    }
    return undefined;
  }

  /** The first refusal of what takes several rights; `undefined`: all are there. */
  async #refusal(user: UserInfo, accesses: readonly Access[]): Promise<StatusError | undefined> {
    for (const access of accesses) {
      const decision = await this.#authorizer.authorize({ user, request: access });
      if (decision.kind !== "allowed") return forbidden({ user, request: access }, decision.reason);
    }
    return undefined;
  }
}

function accessesFor({ user, uid, groups, extra }: Wanted): Access[] {
  const impersonate = (place: { group: string; plural: string; name: string; subresource?: string }): Access => ({
    kind: "resource",
    verb: "impersonate",
    version: "v1",
    ...place,
  });
  const authentication = "authentication.k8s.io";
  const account = accountOfUser(user);
  return [
    account === undefined
      ? impersonate({ group: "", plural: "users", name: user })
      : { kind: "resource", verb: "impersonate", group: "", version: "v1", plural: "serviceaccounts", ...account },
    ...groups.map((name) => impersonate({ group: "", plural: "groups", name })),
    ...extra.flatMap(([key, values]) =>
      values.map((name) => impersonate({ group: authentication, plural: "userextras", subresource: key, name })),
    ),
    ...(uid === undefined ? [] : [impersonate({ group: authentication, plural: "uids", name: uid })]),
  ];
}

function impersonated({ user, uid, groups, extra }: Wanted): UserInfo {
  const account = accountOfUser(user);
  // A service account comes with its own groups unless others are asked for.
  const own =
    account === undefined || groups.length > 0 ? groups : serviceAccountUser(account.namespace, account.name).groups;
  const place = user === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  const known = own.includes("system:unauthenticated") || (place !== "system:unauthenticated" && own.includes(place));
  return {
    name: user,
    ...(uid === undefined ? {} : { uid }),
    groups: known ? own : [...own, place],
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}
