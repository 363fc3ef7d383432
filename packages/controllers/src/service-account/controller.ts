import { isAlreadyExists, type Namespace, Namespaces, ServiceAccounts } from "@skiff/api";
import { defineController, done, watching } from "@skiff/control-loop";

/** Every namespace has a ServiceAccount `default`: what pods run as that name no other. */
export const serviceAccountController = defineController<Namespace>({
  name: "service-account",
  component: "serviceaccount-controller",
  for: Namespaces,
  watches: [
    watching(ServiceAccounts, ({ metadata }) => (metadata.name === "default" ? [{ name: metadata.namespace }] : [])),
  ],
  async reconcile({ metadata, status }, { client, cached, signal }) {
    const leaves = metadata.deletionTimestamp !== undefined || status?.phase === "Terminating";
    if (leaves || cached(ServiceAccounts).get("default", metadata.name) !== undefined) return done;
    const account = { metadata: { name: "default", namespace: metadata.name } };
    await client.create(ServiceAccounts, account, { signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    return done;
  },
});
