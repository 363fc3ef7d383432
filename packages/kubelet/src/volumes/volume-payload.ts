import {
  ConfigMaps,
  type ConfigMapVolumeSource,
  type DownwardAPIVolumeFile,
  type Pod,
  Secrets,
  type SecretVolumeSource,
  type Volume,
} from "@skiff/api";
import { podField } from "../env/field-ref.ts";
import { resourceField } from "../env/resource-field.ts";
import type { VolumeFile, VolumePayload } from "./atomic-writer.ts";
import { bytesOf, selectFiles } from "./payload.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { ServiceAccountTokens } from "./service-account-token.ts";
import { VolumeFailure } from "./volume-plugin.ts";

export interface PayloadContext {
  readonly pod: Pod;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
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
  let refreshAtMs = Number.POSITIVE_INFINITY;
  for (const source of projected.sources ?? []) {
    const mode = projected.defaultMode;
    const add = (more: Files) => {
      for (const [path, file] of more) files.set(path, file);
    };
    if (source.configMap !== undefined) add(await configMapFiles(source.configMap, mode, context));
    if (source.secret !== undefined) add(await secretFiles(source.secret, mode, context));
    if (source.downwardAPI !== undefined) add(downwardFiles(source.downwardAPI.items, mode, context));
    if (source.serviceAccountToken !== undefined) {
      const { audience, expirationSeconds = 3600, path } = source.serviceAccountToken;
      const token = await context.tokens.get(context.pod, { audience, expirationSeconds }, context.signal);
      files.set(path, tokenFile(token.text, mode, context.pod));
      refreshAtMs = Math.min(refreshAtMs, token.rotateAtMs);
    }
    if (source.clusterTrustBundle !== undefined || source.podCertificate !== undefined)
      throw new VolumeFailure("clusterTrustBundle and podCertificate projections are not supported");
  }
  return { files, refreshAtMs };
}

/** A token is private to the one user all containers run as, where there is one; else every user may read it. */
function tokenFile(text: string, mode: number | undefined, pod: Pod): VolumeFile {
  const data = Buffer.from(text);
  const users = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
      (one) => one.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  );
  const [user] = users;
  if (pod.spec.securityContext?.fsGroup !== undefined) return { data, mode: 0o600 };
  if (users.size === 1 && user !== undefined) return { data, mode: 0o600, uid: user };
  return { data, mode: mode ?? defaultMode };
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
  return selectFiles(bytes, { items, mode: mode ?? defaultMode, optional });
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
  return selectFiles(bytes, { items, mode: mode ?? defaultMode, optional });
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
