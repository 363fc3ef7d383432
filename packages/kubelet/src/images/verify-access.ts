import { credentialHash, type PullLogin } from "./keyring.ts";
import type { AcceptedCredentials, PulledRecord } from "./pull-records.ts";

/** For which images that are on the node a pod has to show credentials. */
export type VerificationPolicy =
  | "NeverVerify"
  | "NeverVerifyPreloadedImages"
  | "NeverVerifyAllowlistedImages"
  | "AlwaysVerify";

/** Whether credentials matter at all for an image (its name without tag and digest). */
export function mustVerify(
  repository: string,
  options: {
    readonly policy: VerificationPolicy;
    /** Names, or beginnings of names with `/*` behind them. */
    readonly allowlist: readonly string[];
    /** The kubelet brought the image here, as far as is known. */
    readonly pulledByKubelet: boolean;
  },
): boolean {
  switch (options.policy) {
    case "NeverVerify":
      return false;
    case "AlwaysVerify":
      return true;
    case "NeverVerifyPreloadedImages":
      return options.pulledByKubelet;
    case "NeverVerifyAllowlistedImages":
      return !options.allowlist.some((one) =>
        one.endsWith("/*") ? repository.startsWith(one.slice(0, -1)) : repository === one,
      );
  }
}

/** What follows from a record for a pod with these credentials; `accepted` is what to remember from now on. */
export type Access =
  | { readonly kind: "allowed"; readonly accepted?: AcceptedCredentials }
  | { readonly kind: "pullRequired" };

const mostSecrets = 100;
const required: Access = { kind: "pullRequired" };
const allowed: Access = { kind: "allowed" };

/**
 * Whether a pod may use an image that is there without asking the registry: where nobody needs credentials, where its own are
 * those that were accepted, or where they are in the same Secret (which may have new ones since).
 */
export function judgeAccess(
  record: PulledRecord | undefined,
  repository: string,
  logins: readonly PullLogin[],
): Access {
  const known = record?.accepted[repository];
  if (known === undefined) return required;
  if (known.nodePodsAccessible) return allowed;
  for (const login of logins) {
    const { source } = login;
    if (source.kind !== "secret") continue;
    const hash = credentialHash(login.auth);
    for (const secret of known.secrets) {
      const sameHash = secret.credentialHash === hash;
      const sameSecret =
        secret.uid === source.uid && secret.namespace === source.namespace && secret.name === source.name;
      if (sameHash && sameSecret) return allowed;
      if ((sameHash || sameSecret) && known.secrets.length < mostSecrets)
        return { kind: "allowed", accepted: acceptedBy(login) };
      if (sameHash) return allowed;
    }
  }
  const account = logins.find(({ source }) => source.kind === "serviceAccount")?.source;
  if (account?.kind !== "serviceAccount") return required;
  const isKnown = known.serviceAccounts.some(
    ({ uid, namespace, name }) => uid === account.uid && namespace === account.namespace && name === account.name,
  );
  return isKnown ? allowed : required;
}

/** What a successful pull shows: whose credentials the registry accepted, or that none were needed. */
export function acceptedBy(login: PullLogin | undefined): AcceptedCredentials {
  const source = login?.source ?? { kind: "node" as const };
  if (login === undefined || source.kind === "node")
    return { secrets: [], serviceAccounts: [], nodePodsAccessible: true };
  const { kind, uid, namespace, name } = source;
  return kind === "secret"
    ? {
        secrets: [{ uid, namespace, name, credentialHash: credentialHash(login.auth) }],
        serviceAccounts: [],
        nodePodsAccessible: false,
      }
    : { secrets: [], serviceAccounts: [{ uid, namespace, name }], nodePodsAccessible: false };
}

/** What is accepted once more was shown. An image that nobody needs credentials for stays so. */
export function mergeAccepted(before: AcceptedCredentials | undefined, more: AcceptedCredentials): AcceptedCredentials {
  if (before === undefined || more.nodePodsAccessible) return more;
  if (before.nodePodsAccessible) return before;
  const isSame = (a: { uid: string; name: string }, b: { uid: string; name: string }) =>
    a.uid === b.uid && a.name === b.name;
  const others = <T extends { uid: string; name: string }>(old: readonly T[], added: readonly T[]) => [
    ...old.filter((one) => !added.some((other) => isSame(one, other))),
    ...added,
  ];
  return {
    secrets: others(before.secrets, more.secrets),
    serviceAccounts: others(before.serviceAccounts, more.serviceAccounts),
    nodePodsAccessible: false,
  };
}
