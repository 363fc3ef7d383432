import type { Volume, VolumeProjection } from "../../generated/types/core-v1.ts";
import { fractionWarnings } from "./container-warnings.ts";

/** Sorts of volumes that are on their way out, or gone. */
const deprecatedVolumes = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
} as const;
const deprecatedNames: readonly (keyof typeof deprecatedVolumes)[] = [
  "photonPersistentDisk",
  "gitRepo",
  "scaleIO",
  "flocker",
  "storageos",
  "quobyte",
  "glusterfs",
  "cephfs",
  "rbd",
];

type Deprecatable = Partial<Record<(typeof deprecatedNames)[number], object | undefined>>;

/** What to say of the sort of a volume. */
export const volumeSortWarnings = (field: string, volume: Deprecatable): string[] =>
  deprecatedNames.flatMap((name) =>
    // One of them is written in another way than in the API.
    volume[name] ? [`${field}.${name === "storageos" ? "storageOS" : name}: ${deprecatedVolumes[name]}`] : [],
  );

/** What to say of a pod's volumes. `field` is their path. */
export function volumeWarnings(field: string, volumes: readonly Volume[]): string[] {
  const sorts = volumes.flatMap((volume, index) => {
    const path = `${field}[${index}]`;
    const template = volume.ephemeral?.volumeClaimTemplate?.spec;
    return [
      ...volumeSortWarnings(path, volume),
      ...fractionWarnings(
        `${path}.ephemeral.volumeClaimTemplate.spec.resources.requests`,
        template?.resources?.requests,
        ["storage"],
      ),
    ];
  });
  return [...sorts, ...volumes.flatMap(overlapWarnings)];
}

/** Files of one volume that take each other's place. */
function overlapWarnings(volume: Volume): string[] {
  const { name, configMap, secret, downwardAPI, projected } = volume;
  const where = (what: string) => `volume "${name}" (${what}): overlapping paths`;
  const paths = (items: readonly { readonly path: string }[]) => items.map(({ path }) => path);
  return [
    ...(configMap?.items ? overlaps(paths(configMap.items), where(`ConfigMap "${configMap.name ?? ""}"`)) : []),
    ...(secret?.items ? overlaps(paths(secret.items), where(`Secret "${secret.secretName ?? ""}"`)) : []),
    ...(downwardAPI?.items ? overlaps(paths(downwardAPI.items), where("DownwardAPI")) : []),
    ...(projected ? projectedOverlaps(name, projected.sources ?? []) : []),
  ];
}

function projectedOverlaps(name: string, sources: readonly VolumeProjection[]): string[] {
  const all = new Set<string>();
  return sources.flatMap((source) => {
    const found = pathsOf(source);
    if (found === undefined) return [`volume "${name}" (Projected) has no sources provided`];
    const message = `volume "${name}" (Projected ${found.what}): overlapping paths`;
    const own = overlaps(found.paths, message);
    const unique = new Set(found.paths);
    const others = overlaps([...unique, ...all].sort(), message);
    for (const path of unique) all.add(path);
    return [...own, ...others];
  });
}

function pathsOf(source: VolumeProjection): { readonly what: string; readonly paths: readonly string[] } | undefined {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  const paths = (items: readonly { readonly path: string }[] | undefined) => (items ?? []).map(({ path }) => path);
  if (configMap) return { what: `ConfigMap "${configMap.name ?? ""}"`, paths: paths(configMap.items) };
  if (secret) return { what: `Secret "${secret.name ?? ""}"`, paths: paths(secret.items) };
  if (downwardAPI) return { what: "DownwardAPI", paths: paths(downwardAPI.items) };
  if (serviceAccountToken) return { what: "ServiceAccountToken", paths: [serviceAccountToken.path] };
  if (clusterTrustBundle) {
    const which = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? "";
    return { what: `ClusterTrustBundle "${which}"`, paths: [clusterTrustBundle.path] };
  }
  if (podCertificate) {
    const { credentialBundlePath, keyPath, certificateChainPath } = podCertificate;
    const given = [credentialBundlePath, keyPath, certificateChainPath].filter((path) => path !== undefined);
    return { what: "PodCertificate", paths: given.filter((path) => path !== "") };
  }
  return undefined;
}

function overlaps(paths: readonly string[], message: string): string[] {
  const seen: string[] = [];
  return paths.flatMap((path) => {
    const normal = path.replace(/\/+$/, "");
    const other = seen.find((one) => meets(one, normal));
    seen.push(normal);
    return other ? [`${message}: "${normal}" with "${other}"`] : [];
  });
}

const meets = (one: string, other: string): boolean =>
  one !== "" && other !== "" && (`${one}/`.startsWith(other) || `${other}/`.startsWith(one));
