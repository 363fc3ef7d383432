import { isNotFound, type Secret, Secrets } from "@skiff/api";
import { againIn, defineController, done } from "@skiff/control-loop";
import { bootstrapTokenOf } from "../bootstrap-token.ts";

/** Removes bootstrap tokens when their time is over. */
export const tokenCleanerController = defineController<Secret>({
  name: "token-cleaner",
  component: "token-cleaner",
  for: Secrets,
  async reconcile(secret, { client, clock, signal }) {
    const token = bootstrapTokenOf(secret);
    if (token === undefined || token.expiresMs === Number.POSITIVE_INFINITY) return done;
    const leftMs = token.expiresMs - clock.now();
    if (leftMs > 0) return againIn(leftMs);
    const preconditions = { uid: secret.metadata.uid };
    await client.delete(Secrets, secret.metadata, { preconditions, signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return done;
  },
});
