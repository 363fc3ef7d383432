import { ConfigMaps, isConflict, isNotFound, Pods, type Secret, Secrets, ServiceAccounts } from "@skiff/api";
import { againIn, defineController } from "@skiff/control-loop";
import { accountOf } from "../account-token/plan.ts";
import { invalidSinceLabel, isAccountToken, planToken, trackedSinceMs } from "./plan.ts";

const everyMs = 24 * 60 * 60_000;
/** Says since when the API servers note down which tokens are used. */
const tracking = { namespace: "kube-system", name: "kube-apiserver-legacy-service-account-token-tracking" };

/**
 * Takes tokens in Secrets out of use that a cluster made by itself and nobody has used for a year.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner
 */
export const legacyTokenCleaner = defineController<Secret>({
  name: "legacy-token-cleaner",
  component: "legacy-service-account-token-cleaner",
  for: Secrets,
  concerns: isAccountToken,
  reads: [ServiceAccounts, Pods],
  async reconcile(secret, { client, cached, clock, signal }) {
    const { namespace, resourceVersion } = secret.metadata;
    const tracked = await client.get(ConfigMaps, tracking, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    const since = trackedSinceMs(tracked?.data?.since);
    if (since === undefined) return againIn(everyMs);
    const account = cached(ServiceAccounts).get(accountOf(secret) ?? "", namespace);
    const pods = cached(Pods).list(namespace);
    const fate = planToken(secret, { account, pods, trackedSinceMs: since, nowMs: clock.now() });
    if (fate.kind === "invalidate") {
      const { uid } = secret.metadata;
      const patch = { metadata: { uid, labels: { [invalidSinceLabel]: fate.since } } };
      await client.patch(Secrets, secret.metadata, patch, { type: "merge", signal });
    }
    if (fate.kind === "remove") {
      const preconditions = { resourceVersion };
      await client.delete(Secrets, secret.metadata, { preconditions, signal }).catch((error: unknown) => {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
    }
    return againIn(everyMs);
  },
});
