import { type ClusterTrustBundleProjection, ClusterTrustBundles, labelSelectorOf } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { PayloadContext } from "./volume-payload.ts";
import { VolumeFailure } from "./volume-plugin.ts";

/** Bundles that are chosen by labels are looked for again after this time. */
const searchMs = 60_000;
const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * The certificates of authorities that a projection names, each once, as PEM text; and when to look again (epoch
 * milliseconds). Throws `VolumeFailure` where there are none and they are not optional.
 */
export async function trustBundle(
  source: ClusterTrustBundleProjection,
  context: PayloadContext,
): Promise<{ readonly text: string; readonly refreshAtMs: number }> {
  const { client, objects, pod, signal } = context;
  const { name, signerName, labelSelector, optional = false } = source;
  if (name !== undefined) {
    const owner = pod.metadata.uid;
    const found = await objects.get(ClusterTrustBundles, { name }, { owner, signal }).catch(unavailable(signal));
    if (found === undefined && !optional)
      throw new VolumeFailure(`clustertrustbundle.certificates.k8s.io "${name}" not found`);
    return { text: merged([found?.spec.trustBundle ?? ""]), refreshAtMs: Number.POSITIVE_INFINITY };
  }
  const fieldSelector = `spec.signerName=${signerName ?? ""}`;
  const all = await client.list(ClusterTrustBundles, { fieldSelector, signal }).catch(unavailable(signal));
  const selector = labelSelectorOf(labelSelector);
  const chosen = all.items.filter(
    ({ metadata, spec }) => spec.signerName === signerName && selector.matches(metadata.labels ?? {}),
  );
  if (chosen.length === 0 && !optional)
    throw new VolumeFailure("combination of signerName and labelSelector matched zero ClusterTrustBundles");
  return { text: merged(chosen.map(({ spec }) => spec.trustBundle)), refreshAtMs: context.nowMs + searchMs };
}

const unavailable = (signal: AbortSignal) => (error: unknown) => {
  if (isAbort(error, signal)) throw error;
  throw new VolumeFailure(`unable to read ClusterTrustBundles: ${describeError(error)}`, { cause: error });
};

/** Certificates of all texts, each once, in an order that tells nobody which came first. */
export function merged(texts: readonly string[]): string {
  const found = texts.flatMap((text) => [...text.matchAll(certificate)].map(([match]) => match));
  return [...new Set(found)]
    .sort()
    .map((one) => `${one}\n`)
    .join("");
}
