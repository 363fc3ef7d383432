import { X509Certificate } from "node:crypto";
import { type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";
import { clientCertificate, servingCertificate } from "../join/node-certificates.ts";
import { type NodePki, writeNodePki } from "../pki/pki.ts";
import type { NodeSettings } from "../settings/settings.ts";

/** A machine may have slept, and its clock been set, while this waited. */
const lookMs = 3_600_000;
const retryMs = 60_000;

interface Renewal {
  readonly settings: Pick<NodeSettings, "nodeName" | "nodeIp">;
  readonly pki: NodePki;
  /** The folder of the certificates. */
  readonly folder: string;
  /** Of the node itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** When a certificate is to be replaced, in epoch milliseconds: a third of its life is left then. */
export function renewalTime(certificate: string): number {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const endMs = Date.parse(validTo);
  return endMs - (endMs - Date.parse(validFrom)) / 3;
}

/** Waits until the certificates of a node that joined are to be replaced. Resolves when new ones are written. */
export async function renewCertificates(renewal: Renewal, signal: AbortSignal): Promise<void> {
  const { settings, pki, folder, client, clock, logger } = renewal;
  const dueMs = Math.min(...[pki.node, pki.kubeletServer].map(({ certificate }) => renewalTime(certificate)));
  while (clock.now() < dueMs) await clock.sleep(Math.min(dueMs - clock.now(), lookMs), signal);
  const onWaiting = (name: string) => logger.warn(`nobody has approved the certificate request ${name} yet`);
  for (;;) {
    try {
      const node = await clientCertificate(settings, { client, clock, onWaiting }, signal);
      const kubeletServer = await servingCertificate(settings, { client, clock, onWaiting }, signal);
      await writeNodePki(folder, { node, kubeletServer });
      return;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      logger.warn(`the node's certificates are not renewed: ${describeError(error)}`);
      await clock.sleep(retryMs, signal);
    }
  }
}
