import type { Pod } from "@skiff/api";

const judged = /^(container\.apparmor\.security\.beta|(container\.)?seccomp\.security\.alpha)\.kubernetes\.io\//;

type Images = readonly { readonly name: string; readonly image?: string | undefined }[];

const imagesDiffer = (a: Images = [], b: Images = []): boolean =>
  a.length !== b.length || a.some(({ image }, index) => image !== b[index]?.image);

/** Whether a pod changed in what its standard looks at: most updates do not, and are let through as the pod was. */
export function isSignificant(pod: Pod, old: Pod): boolean {
  const annotations = ({ metadata }: Pod): string =>
    JSON.stringify(
      Object.entries(metadata.annotations ?? {})
        .filter(([key]) => judged.test(key))
        .sort(),
    );
  return (
    imagesDiffer(pod.spec.containers, old.spec.containers) ||
    imagesDiffer(pod.spec.initContainers, old.spec.initContainers) ||
    imagesDiffer(pod.spec.ephemeralContainers, old.spec.ephemeralContainers) ||
    annotations(pod) !== annotations(old)
  );
}
