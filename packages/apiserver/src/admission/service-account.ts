import { hasReason, type Pod, Pods, type ServiceAccount, ServiceAccounts, type Volume } from "@skiff/api";
import { type Clock, nameSuffix, type Random, randomInt } from "@skiff/base";
import { configMapsOf, secretsOf } from "../authorization/node-relations.ts";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { unmountableSecret } from "./mountable-secrets.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
const mirrorAnnotation = "kubernetes.io/config.mirror";
const never = new AbortController().signal;

/** Gives every pod its service account and the token, certificate and namespace that its containers reach the API with. */
export function serviceAccountAdmission(options: {
  readonly table: ResourceTable;
  readonly clock: Clock;
  readonly random: Random;
}): AdmissionPlugin {
  const { random } = options;
  return {
    name: "ServiceAccount",
    resources: [Pods],
    handles: ({ operation, subresource }) =>
      (operation === "CREATE" && subresource === undefined) ||
      (operation === "UPDATE" && subresource === "ephemeralcontainers"),
    async admit(request) {
      const pod = objectOf(request, Pods);
      if (pod === undefined || request.operation !== "CREATE") return;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return checkMirror(request, pod);
      const { spec } = pod;
      if (spec === undefined) return;
      spec.serviceAccountName ||= "default";
      spec.serviceAccount = spec.serviceAccountName;
      const account = await findAccount(request, spec.serviceAccountName, options);
      if (automounts(pod, account)) mountToken(pod, `${volumePrefix}${nameSuffix(random)}`);
      if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
        spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
      }
    },
    async validate(request) {
      const pod = objectOf(request, Pods);
      if (pod === undefined || pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
      const name = (request.operation === "UPDATE" ? oldObjectOf(request, Pods) : pod)?.spec?.serviceAccountName;
      if (name === undefined || name === "")
        throw refused(request, `no service account specified for pod ${request.namespace}/${request.name}`);
      const account = await findAccount(request, name, options);
      const unmountable = unmountableSecret(pod, account, request.operation === "UPDATE");
      if (unmountable !== undefined) throw refused(request, unmountable);
    },
  };
}

function checkMirror(request: AdmissionRequest, pod: Pod): void {
  const { spec } = pod;
  if (spec?.serviceAccountName) throw refused(request, "a mirror pod may not reference service accounts");
  if (secretsOf(pod, "").length > 0) throw refused(request, "a mirror pod may not reference secrets");
  if (configMapsOf(pod).length > 0) throw refused(request, "a mirror pod may not reference configmaps");
  if (spec?.volumes?.some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken))) {
    throw refused(request, "a mirror pod may not use ServiceAccountToken volume projections");
  }
}

/** The default account of a new namespace may be about to be made: it is waited for, a second or two. */
async function findAccount(
  request: AdmissionRequest,
  name: string,
  { table, clock, random }: { readonly table: ResourceTable; readonly clock: Clock; readonly random: Random },
): Promise<ServiceAccount> {
  const accounts = table.of(ServiceAccounts);
  const { namespace = "" } = request;
  const known = accounts.peek({ namespace, name });
  if (known !== undefined) return known;
  const waitMs = 100 + randomInt(random, 100);
  for (let left = name === "default" ? 10 : 1; left > 0; left--) {
    try {
      return await accounts.get({ namespace, name });
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      if (left > 1) await clock.sleep(waitMs, never);
    }
  }
  const missing = `serviceaccount ${JSON.stringify(name)} not found`;
  throw refused(request, `error looking up service account ${namespace}/${name}: ${missing}`);
}

/** The pod decides; where it does not say, its account; where neither does: yes. */
const automounts = ({ spec }: Pod, account: ServiceAccount): boolean =>
  spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;

/** Mounts the volume into each container that has nothing at that path. A volume of that kind that is there is taken. */
function mountToken({ spec }: Pod, newName: string): void {
  if (spec === undefined) return;
  const existing = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix));
  const name = existing?.name ?? newName;
  let used = false;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    used = true;
  }
  if (used && existing === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
    defaultMode: 0o644,
  },
});
