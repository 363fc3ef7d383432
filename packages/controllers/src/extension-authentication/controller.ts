import { ConfigMaps, isAlreadyExists, type Namespace, Namespaces } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { defineController, done, type Loop, watching } from "@skiff/control-loop";

const place = { namespace: "kube-system", name: "extension-apiserver-authentication" };

/** What aggregated API servers need to know to trust requests that the API server passes on. PEM texts. */
export interface ExtensionAuthentication {
  /** The authority of client certificates. */
  readonly clientAuthority: string;
  /** The authority of the certificate that the API server shows to aggregated servers, and the name in it. */
  readonly frontProxyAuthority: string;
  readonly frontProxyName: string;
}

const list = (...names: string[]): string => JSON.stringify(names);

const dataOf = (options: ExtensionAuthentication) => ({
  "client-ca-file": options.clientAuthority,
  "requestheader-allowed-names": list(options.frontProxyName),
  "requestheader-client-ca-file": options.frontProxyAuthority,
  "requestheader-extra-headers-prefix": list("X-Remote-Extra-"),
  "requestheader-group-headers": list("X-Remote-Group"),
  "requestheader-uid-headers": list("X-Remote-Uid"),
  "requestheader-username-headers": list("X-Remote-User"),
});

/** Publishes in kube-system how aggregated API servers find out who asks. https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/ */
export const extensionAuthenticationController = (options: ExtensionAuthentication): Loop =>
  defineController<Namespace>({
    name: "extension-authentication",
    component: "kube-apiserver",
    for: Namespaces,
    watches: [
      watching(ConfigMaps, ({ metadata }) =>
        metadata.name === place.name && metadata.namespace === place.namespace ? [{ name: place.namespace }] : [],
      ),
    ],
    async reconcile({ metadata }, { client, cached, signal }) {
      if (metadata.name !== place.namespace || metadata.deletionTimestamp !== undefined) return done;
      const data = dataOf(options);
      const before = cached(ConfigMaps).get(place.name, place.namespace);
      if (before === undefined) {
        await client.create(ConfigMaps, { metadata: place, data }, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      } else if (!jsonEqual({ ...before.data, ...data }, before.data)) {
        await client.update(ConfigMaps, { ...before, data: { ...before.data, ...data } }, { signal });
      }
      return done;
    },
  });
