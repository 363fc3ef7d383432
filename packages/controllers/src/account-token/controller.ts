import { isNotFound, type Secret, Secrets, ServiceAccounts } from "@skiff/api";
import { defineController, done, type Loop, watching } from "@skiff/control-loop";
import { accountOf, planToken, type TokenSurroundings } from "./plan.ts";

const byAccount = "service account";

/** Fills Secrets of type `kubernetes.io/service-account-token`, and removes them with their accounts. */
export const accountTokenController = (surroundings: TokenSurroundings): Loop =>
  defineController<Secret>({
    name: "account-token",
    component: "tokens-controller",
    for: Secrets,
    watches: [
      watching(ServiceAccounts, ({ metadata: { name, namespace } }, { cached }) => {
        const secrets = cached(Secrets);
        secrets.addIndex(byAccount, (secret) => {
          const account = accountOf(secret);
          return account === undefined ? [] : [`${secret.metadata.namespace}/${account}`];
        });
        return secrets.byIndex(byAccount, `${namespace}/${name}`).map(({ metadata }) => metadata);
      }),
    ],
    async reconcile(secret, { client, signal }) {
      const name = accountOf(secret);
      if (name === undefined) return done;
      const { namespace, uid } = secret.metadata;
      // The cache may not know of an account that was made just now, and a Secret is not to be lost by that.
      const account = await client.get(ServiceAccounts, { namespace, name }, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      const plan = planToken(secret, account, surroundings);
      if (plan.kind === "fill") await client.update(Secrets, plan.secret, { signal });
      if (plan.kind === "remove") {
        await client.delete(Secrets, secret.metadata, { preconditions: { uid }, signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      }
      return done;
    },
  });
