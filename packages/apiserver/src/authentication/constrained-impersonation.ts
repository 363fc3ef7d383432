/**
 * Impersonation for some actions only: who may `impersonate:MODE` somebody, and `impersonate-on:MODE:VERB` what is asked for,
 * acts as them there and nowhere else. https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/#constrained-impersonation
 */
import { dnsSubdomainName } from "@skiff/api";
import type { Access } from "../authorization/access.ts";
import type { RequestInfo, UserInfo } from "../contracts.ts";
import type { Wanted } from "./impersonation.ts";
import { accountOfUser, nodeOfAccount } from "./service-account-tokens.ts";

const group = "authentication.k8s.io";
const nodePrefix = "system:node:";

/** A way to act as somebody: what one must be allowed, and the groups that come with it. */
export interface ConstrainedWay {
  readonly accesses: readonly Access[];
  /** Absent: those that were asked for. */
  readonly groups?: readonly string[];
}

/** The ways in which `user` may come to act as `wanted` for one request, the closest first. */
export function constrainedWays(user: UserInfo, wanted: Wanted, request: RequestInfo): readonly ConstrainedWay[] {
  const node = nodeOf(wanted.user);
  const account = accountOfUser(wanted.user);
  if (node === undefined && account === undefined) return isSound(wanted) ? [asUser(wanted, request)] : [];
  const nameOnly = wanted.groups.length === 0 && wanted.extra.length === 0 && wanted.uid === undefined;
  if (!nameOnly) return [];
  if (node === undefined) {
    return account === undefined ? [] : [way("serviceaccount", request, [{ plural: "serviceaccounts", ...account }])];
  }
  const nodes = { groups: ["system:nodes"] };
  const own = nodeOfAccount(user) === node;
  return [
    ...(own ? [{ ...way("associated-node", request, [{ plural: "nodes", name: "*" }]), ...nodes }] : []),
    { ...way("arbitrary-node", request, [{ plural: "nodes", name: node }]), ...nodes },
  ];
}

interface Identity {
  readonly plural: string;
  readonly name: string;
  readonly namespace?: string;
  readonly subresource?: string;
}

function way(mode: string, request: RequestInfo, identities: readonly Identity[]): ConstrainedWay {
  const verb = `impersonate:${mode}`;
  return {
    accesses: [
      { ...request, verb: `impersonate-on:${mode}:${request.verb}` },
      ...identities.map((one): Access => ({ kind: "resource", verb, group, version: "v1", ...one })),
    ],
  };
}

const asUser = ({ user, uid, groups, extra }: Wanted, request: RequestInfo): ConstrainedWay =>
  way("user-info", request, [
    { plural: "users", name: user },
    ...(uid === undefined ? [] : [{ plural: "uids", name: uid }]),
    ...groups.map((name) => ({ plural: "groups", name })),
    ...extra.flatMap(([subresource, values]) => values.map((name) => ({ plural: "userextras", subresource, name }))),
  ]);

/** What would be more than anybody's is not to be had this way. */
const isSound = ({ groups, extra }: Wanted): boolean =>
  !groups.includes("system:masters") &&
  !groups.includes("") &&
  extra.every(([key, values]) => key !== "" && values.length > 0 && !values.includes(""));

/** The node that a user's name stands for. */
function nodeOf(user: string): string | undefined {
  if (!user.startsWith(nodePrefix)) return undefined;
  const name = user.slice(nodePrefix.length);
  return dnsSubdomainName(name, false).length === 0 ? name : undefined;
}
