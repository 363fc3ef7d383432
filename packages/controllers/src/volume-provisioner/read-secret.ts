import { type SecretReference, Secrets } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";

/** A secret's entries, as drivers get them; none where no secret is named. */
export async function readSecret(
  ref: SecretReference | undefined,
  { client, signal }: ReconcileContext,
): Promise<Readonly<Record<string, string>>> {
  if (!ref?.name || !ref.namespace) return {};
  const { data = {} } = await client.get(Secrets, { namespace: ref.namespace, name: ref.name }, { signal });
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}
