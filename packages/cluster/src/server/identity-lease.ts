import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { isNotFound, Leases } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, microTimestamp, type Random, uuid } from "@skiff/base";
import type { Client } from "@skiff/client";
import { serverLeaseLabel } from "./expired-leases.ts";
import type { ServerAddress } from "./live-servers.ts";

const leaseSeconds = 3600;
const renewMs = 10_000;
const base32Digits = "abcdefghijklmnopqrstuvwxyz234567";

/** The first half of a text's SHA-256 in base 32 without padding: how Kubernetes names an API server after its host. */
function hostHash(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  let digits = "";
  let [bits, held] = [0, 0];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) digits += base32Digits[(held >> (bits - 5)) & 31] ?? "";
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? digits : digits + (base32Digits[(held << (5 - bits)) & 31] ?? "");
}

/** The name of an API server's Lease; a second one on a machine has its port in it. */
export const identityName = (host: string, { port }: Pick<ServerAddress, "port">): string =>
  `apiserver-${hostHash(port === 6443 ? host : `${host}:${port}`)}`;

/**
 * Until the signal is aborted, keeps the Lease in kube-system by which this API server is known
 * (https://kubernetes.io/docs/concepts/architecture/leases/#api-server-identity).
 */
export async function keepIdentityLease(
  options: {
    readonly client: Client;
    readonly address: ServerAddress;
    readonly clock: Clock;
    readonly random: Random;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, logger } = options;
  const host = hostname();
  const ref = { namespace: "kube-system", name: identityName(host, options.address) };
  const holderIdentity = `${ref.name}_${uuid(options.random)}`;
  const labels = { ...serverLeaseLabel, "kubernetes.io/hostname": host };
  while (!signal.aborted) {
    try {
      const found = await client.get(Leases, ref, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      const spec = { holderIdentity, leaseDurationSeconds: leaseSeconds, renewTime: microTimestamp(clock.now()) };
      if (found === undefined) await client.create(Leases, { metadata: { ...ref, labels }, spec }, { signal });
      else await client.update(Leases, { ...found, spec }, { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      logger.warn(`the server's own lease was not renewed: ${describeError(error)}`);
    }
    await clock.sleep(renewMs, signal).catch(() => {});
  }
}
