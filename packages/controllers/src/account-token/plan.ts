import type { Secret, ServiceAccount } from "@skiff/api";

const prefix = "kubernetes.io/service-account";
const secretType = `${prefix}-token`;

/** What goes into every token Secret beside its token. */
export interface TokenSurroundings {
  /** PEM. */
  readonly rootCertificate: string;
  /** A token that holds as long as the Secret and the account do. */
  issue(claims: {
    readonly namespace: string;
    readonly secretName: string;
    readonly accountName: string;
    readonly accountUid: string;
  }): string;
}

/** What is to become of a Secret. */
export type TokenPlan =
  | { readonly kind: "keep" }
  | { readonly kind: "remove" }
  | { readonly kind: "fill"; readonly secret: Secret };

/** The account that a Secret is to hold a token of; `undefined`: it is no such Secret. */
export const accountOf = ({ type, metadata }: Secret): string | undefined =>
  type === secretType ? metadata.annotations?.[`${prefix}.name`] || undefined : undefined;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A Secret goes with its account, also when another has its name by now; what it lacks is filled in. */
export function planToken(
  secret: Secret,
  account: ServiceAccount | undefined,
  surroundings: TokenSurroundings,
): TokenPlan {
  const accountName = accountOf(secret);
  if (accountName === undefined || secret.metadata.deletionTimestamp !== undefined) return { kind: "keep" };
  const uid = secret.metadata.annotations?.[`${prefix}.uid`] ?? "";
  if (account === undefined || (uid !== "" && uid !== account.metadata.uid)) return { kind: "remove" };
  const { name: secretName, namespace } = secret.metadata;
  const data = secret.data ?? {};
  const wanted = { "ca.crt": base64(surroundings.rootCertificate), namespace: base64(namespace) };
  const surrounded = Object.entries(wanted).every(([key, value]) => data[key] === value);
  if (data.token && uid !== "" && surrounded) return { kind: "keep" };
  const accountUid = account.metadata.uid;
  const token = data.token || base64(surroundings.issue({ namespace, secretName, accountName, accountUid }));
  const annotations = { ...secret.metadata.annotations, [`${prefix}.uid`]: accountUid };
  return {
    kind: "fill",
    secret: { ...secret, metadata: { ...secret.metadata, annotations }, data: { ...data, ...wanted, token } },
  };
}
