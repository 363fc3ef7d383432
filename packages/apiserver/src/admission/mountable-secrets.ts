import type { Pod, ServiceAccount } from "@skiff/api";

const annotation = "kubernetes.io/enforce-mountable-secrets";

interface Reader {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly valueFrom?: SecretSource | undefined }[] | undefined;
  readonly envFrom?: readonly { readonly secretRef?: { readonly name?: string | undefined } | undefined }[] | undefined;
}

interface SecretSource {
  readonly secretKeyRef?: { readonly name?: string | undefined } | undefined;
}

/**
 * Why a pod may not use a Secret, where its account is marked so that its pods use only those that it names; `undefined` where
 * it may use all that it does. With `onlyDebugging`, containers for debugging alone are looked at.
 */
export function unmountableSecret(pod: Pod, account: ServiceAccount, onlyDebugging: boolean): string | undefined {
  if (account.metadata.annotations?.[annotation] !== "true") return undefined;
  const known = new Set((account.secrets ?? []).map(({ name }) => name));
  const wrong = (name: string | undefined): name is string => name !== undefined && !known.has(name);
  const because = `is not allowed because service account ${account.metadata.name} does not reference that`;
  const { spec } = pod;
  const readers: readonly (readonly [string, readonly Reader[]])[] = [
    ...(onlyDebugging
      ? []
      : ([
          ["init container", spec.initContainers ?? []],
          ["container", spec.containers],
        ] as const)),
    ["ephemeral container", spec.ephemeralContainers ?? []],
  ];
  const found: string[] = [];
  if (!onlyDebugging) {
    for (const { secret } of spec.volumes ?? []) {
      const name = secret?.secretName;
      if (wrong(name)) found.push(`volume with secret.secretName="${name}" ${because} secret`);
    }
  }
  for (const [what, containers] of readers) {
    for (const container of containers) {
      const who = `${what} ${container.name} with`;
      for (const { name: variable, valueFrom } of container.env ?? []) {
        const name = valueFrom?.secretKeyRef?.name;
        if (wrong(name))
          found.push(`${who} envVar ${variable} referencing secret.secretName="${name}" ${because} secret`);
      }
      for (const { secretRef } of container.envFrom ?? []) {
        const name = secretRef?.name;
        if (wrong(name)) found.push(`${who} envFrom referencing secret.secretName="${name}" ${because} secret`);
      }
    }
  }
  if (onlyDebugging) return found[0];
  const pulling = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pulling.has(name)) found.push(`imagePullSecrets[${index}].name="${name}" ${because} imagePullSecret`);
  }
  return found[0];
}
