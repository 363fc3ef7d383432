import { type CSIDriver, type Pod, Secrets, ServiceAccounts } from "@skiff/api";
import { describeError, isAbort, isJsonObject } from "@skiff/base";
import type { Client } from "@skiff/client";
import { VolumeFailure } from "../volumes/volume-plugin.ts";
import type { CsiVolume, SecretRef } from "./csi-volume.ts";

type Words = Readonly<Record<string, string>>;

interface Asking {
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** What the driver is told when a volume is given to a pod: about the volume, and in confidence. */
export async function publishWords(
  volume: CsiVolume,
  pod: Pod,
  object: CSIDriver | undefined,
  asking: Asking,
): Promise<{ readonly volumeContext: Words; readonly secrets: Words }> {
  const secrets = await secretOf(volume.publishSecret, "NodePublishSecretRef", asking);
  const tokens = await tokensOf(pod, object, asking);
  const inSecrets = object?.spec.serviceAccountTokenInSecrets === true;
  const about = object?.spec.podInfoOnMount === true ? podWords(pod, volume.inline) : {};
  return {
    volumeContext: { ...volume.attributes, ...about, ...(inSecrets ? {} : tokens) },
    secrets: { ...secrets, ...(inSecrets ? tokens : {}) },
  };
}

const podWords = ({ metadata, spec }: Pod, inline: boolean): Words => ({
  "csi.storage.k8s.io/pod.name": metadata.name,
  "csi.storage.k8s.io/pod.namespace": metadata.namespace,
  "csi.storage.k8s.io/pod.uid": metadata.uid,
  "csi.storage.k8s.io/serviceAccount.name": spec.serviceAccountName ?? "default",
  "csi.storage.k8s.io/ephemeral": String(inline),
});

/** Tokens of the pod's account for the audiences that the driver wants. */
async function tokensOf(pod: Pod, object: CSIDriver | undefined, { client, signal }: Asking): Promise<Words> {
  const { namespace, name, uid } = pod.metadata;
  const ref = { namespace, name: pod.spec.serviceAccountName ?? "default" };
  const tokens: Record<string, object> = {};
  for (const { audience, expirationSeconds } of object?.spec.tokenRequests ?? []) {
    const request = {
      spec: {
        audiences: audience === "" ? [] : [audience],
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
      },
    };
    const { status } = await client.createSubresource(ServiceAccounts, ref, "token", request, { signal });
    if (!isJsonObject(status)) throw new VolumeFailure(`no token of ${ref.name} for the audience "${audience}"`);
    tokens[audience] = { token: status.token, expirationTimestamp: status.expirationTimestamp };
  }
  if (Object.keys(tokens).length === 0) return {};
  return { "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify(tokens) };
}

/** A secret's entries, as drivers get them. `field`: where a PersistentVolume or pod names the secret. */
export async function secretOf(
  ref: SecretRef | undefined,
  field: "NodeStageSecretRef" | "NodePublishSecretRef" | "NodeExpandSecretRef",
  { client, signal }: Asking,
): Promise<Words> {
  if (ref?.name === undefined) return {};
  const { namespace, name } = ref;
  const secret = await client.get(Secrets, { namespace, name }, { signal }).catch((error: unknown) => {
    if (isAbort(error, signal)) throw error;
    throw new VolumeFailure(`fetching ${field} ${namespace}/${name} failed: ${describeError(error)}`, { cause: error });
  });
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}
