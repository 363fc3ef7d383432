import {
  ConfigMaps,
  type ConfigMapVolumeSource,
  type DownwardAPIVolumeFile,
  type Pod,
  type PodCertificateProjection,
  Secrets,
  type SecretVolumeSource,
  type Volume,
  type VolumeProjection,
} from "@skiff/api";
import { isAbort } from "@skiff/base";
import type { Client } from "@skiff/client";
import { podField } from "../env/field-ref.ts";
import { resourceField } from "../env/resource-field.ts";
import type { VolumeFile, VolumePayload } from "./atomic-writer.ts";
import { bytesOf, selectFiles } from "./payload.ts";
import type { PodCertificates } from "./pod-certificates.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { ServiceAccountTokens } from "./service-account-token.ts";
import { trustBundle } from "./trust-bundle.ts";
import { VolumeFailure } from "./volume-plugin.ts";

export interface PayloadContext {
  readonly client: Client;
  readonly nowMs: number;
  readonly pod: Pod;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  /** Absent where the feature is off. */
  readonly certificates: PodCertificates | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The files of a volume that the API provides, and when they are to be looked at again by themselves. */
export interface ComputedPayload {
  readonly files: VolumePayload;
  /** Epoch milliseconds; infinite where nothing in it expires. */
  readonly refreshAtMs: number;
}

const defaultMode = 0o644;
type Files = Map<string, VolumeFile>;

/** The files of a volume, or `undefined` for volumes whose content is not the API's. */
export async function volumePayload(volume: Volume, context: PayloadContext): Promise<ComputedPayload | undefined> {
  const steady = (files: Files): ComputedPayload => ({ files, refreshAtMs: Number.POSITIVE_INFINITY });
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return steady(await configMapFiles(configMap, configMap.defaultMode, context));
  if (secret !== undefined)
    return steady(await secretFiles({ ...secret, name: secret.secretName }, secret.defaultMode, context));
  if (downwardAPI !== undefined) return steady(downwardFiles(downwardAPI.items, downwardAPI.defaultMode, context));
  if (projected === undefined) return undefined;
  const files: Files = new Map();
  const errors: Error[] = [];
  let refreshAtMs = Number.POSITIVE_INFINITY;
  for (const [index, source] of (projected.sources ?? []).entries()) {
    try {
      const place = `${volume.name}/${index}`;
      const part = await projectedPart(source, { mode: projected.defaultMode, place }, context);
      for (const [path, file] of part.files) files.set(path, file);
      refreshAtMs = Math.min(refreshAtMs, part.refreshAtMs);
    } catch (error) {
      if (isAbort(error, context.signal) || !(error instanceof Error)) throw error;
      errors.push(error);
    }
  }
  if (errors.length === 0) return { files, refreshAtMs };
  // All that is wrong is said at once.
  const texts = [...new Set(errors.map((error) => error.message))];
  throw new VolumeFailure(texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`, { cause: errors[0] });
}

async function projectedPart(
  source: VolumeProjection,
  { mode, place }: { readonly mode: number | undefined; readonly place: string },
  context: PayloadContext,
): Promise<{ readonly files: Files; readonly refreshAtMs: number }> {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  const never = Number.POSITIVE_INFINITY;
  if (configMap !== undefined) return { files: await configMapFiles(configMap, mode, context), refreshAtMs: never };
  if (secret !== undefined) return { files: await secretFiles(secret, mode, context), refreshAtMs: never };
  if (downwardAPI !== undefined) return { files: downwardFiles(downwardAPI.items, mode, context), refreshAtMs: never };
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = 3600, path } = serviceAccountToken;
    const token = await context.tokens.get(context.pod, { audience, expirationSeconds }, context.signal);
    return { files: new Map([[path, privateFile(token.text, mode, context.pod)]]), refreshAtMs: token.rotateAtMs };
  }
  if (clusterTrustBundle !== undefined) {
    const bundle = await trustBundle(clusterTrustBundle, context);
    const file = { data: Buffer.from(bundle.text), mode: mode ?? defaultMode };
    return { files: new Map([[clusterTrustBundle.path, file]]), refreshAtMs: bundle.refreshAtMs };
  }
  if (podCertificate !== undefined) return certificateFiles(podCertificate, { mode, place }, context);
  return { files: new Map(), refreshAtMs: never };
}

async function certificateFiles(
  source: PodCertificateProjection,
  { mode, place }: { readonly mode: number | undefined; readonly place: string },
  { pod, certificates, signal }: PayloadContext,
): Promise<{ readonly files: Files; readonly refreshAtMs: number }> {
  if (certificates === undefined)
    throw new VolumeFailure("podCertificate projections need the feature gate PodCertificateRequest on this node");
  const { keyPem, chain, refreshAtMs } = await certificates.get(pod, place, { source, signal });
  const wanted: readonly (readonly [string | undefined, string])[] = [
    [source.credentialBundlePath, keyPem + chain],
    [source.keyPath, keyPem],
    [source.certificateChainPath, chain],
  ];
  const files: Files = new Map();
  for (const [path, text] of wanted) if (path) files.set(path, privateFile(text, mode, pod));
  return { files, refreshAtMs };
}

/** What is private to the one user all containers run as, where there is one, and to the pod's group; else every user may read it. */
function privateFile(text: string, mode: number | undefined, pod: Pod): VolumeFile {
  const { containers, initContainers = [], securityContext } = pod.spec;
  const users = new Set(
    [...containers, ...initContainers].map((one) => one.securityContext?.runAsUser ?? securityContext?.runAsUser),
  );
  const [user] = users;
  const uid = users.size === 1 ? user : undefined;
  const isPrivate = uid !== undefined || securityContext?.fsGroup !== undefined;
  return {
    data: Buffer.from(text),
    mode: isPrivate ? 0o600 : (mode ?? defaultMode),
    ...(uid === undefined ? {} : { uid }),
  };
}

async function configMapFiles(
  source: Pick<ConfigMapVolumeSource, "name" | "items" | "optional">,
  mode: number | undefined,
  { pod, objects, signal }: PayloadContext,
): Promise<Files> {
  const { namespace, uid } = pod.metadata;
  const { name = "", items, optional = false } = source;
  const object = await objects.get(ConfigMaps, { namespace, name }, { owner: uid, signal });
  if (object === undefined && !optional) throw new VolumeFailure(`configmap "${name}" not found`);
  const bytes = object === undefined ? new Map<string, Uint8Array>() : bytesOf(object, "configMap");
  return selectFiles(bytes, { items, mode: mode ?? defaultMode, optional, keyOf: "config" });
}

async function secretFiles(
  source: Pick<SecretVolumeSource, "items" | "optional"> & { readonly name?: string | undefined },
  mode: number | undefined,
  { pod, objects, signal }: PayloadContext,
): Promise<Files> {
  const { namespace, uid } = pod.metadata;
  const { name = "", items, optional = false } = source;
  const object = await objects.get(Secrets, { namespace, name }, { owner: uid, signal });
  if (object === undefined && !optional) throw new VolumeFailure(`secret "${name}" not found`);
  const bytes = object === undefined ? new Map<string, Uint8Array>() : bytesOf(object, "secret");
  return selectFiles(bytes, { items, mode: mode ?? defaultMode, optional, keyOf: "secret" });
}

function downwardFiles(
  items: readonly DownwardAPIVolumeFile[] | undefined,
  mode: number | undefined,
  { pod, allocatable }: PayloadContext,
): Files {
  const files: Files = new Map();
  for (const item of items ?? []) {
    const text =
      item.fieldRef !== undefined
        ? podField(item.fieldRef.fieldPath, pod, { podIps: [], hostIps: [] })
        : item.resourceFieldRef !== undefined
          ? resourceField(item.resourceFieldRef, { pod, container: "", allocatable })
          : "";
    files.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode ?? defaultMode });
  }
  return files;
}
