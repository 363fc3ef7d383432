import { ConfigMaps, isAlreadyExists, type Namespace, Namespaces } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { defineController, done, type Loop, watching } from "@skiff/control-loop";

const configMapName = "kube-root-ca.crt";
const descriptionAnnotation = "kubernetes.io/description";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Puts the cluster's authority (PEM) into every namespace, and back when it was changed: pods mount it to trust the API server. */
export const rootCertificateController = (rootCertificate: string): Loop =>
  defineController<Namespace>({
    name: "root-certificate",
    component: "root-ca-certificate-publisher",
    for: Namespaces,
    watches: [
      watching(ConfigMaps, ({ metadata }) => (metadata.name === configMapName ? [{ name: metadata.namespace }] : [])),
    ],
    async reconcile({ metadata, status }, { client, cached, signal }) {
      if (metadata.deletionTimestamp !== undefined || status?.phase === "Terminating") return done;
      const data = { "ca.crt": rootCertificate };
      const annotations = { [descriptionAnnotation]: description };
      const before = cached(ConfigMaps).get(configMapName, metadata.name);
      if (before === undefined) {
        const created = { metadata: { name: configMapName, namespace: metadata.name, annotations }, data };
        await client.create(ConfigMaps, created, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      } else if (!jsonEqual(before.data, data) || before.metadata.annotations?.[descriptionAnnotation] === undefined) {
        const merged = { ...before.metadata, annotations: { ...before.metadata.annotations, ...annotations } };
        await client.update(ConfigMaps, { ...before, metadata: merged, data }, { signal });
      }
      return done;
    },
  });
