import { generateKeyPairSync } from "node:crypto";
import { refusals } from "@skiff/api";
import {
  type ApiServer,
  createApiServer,
  type ServiceConnector,
  standardParts,
  type UsageSource,
} from "@skiff/apiserver";
import type { Clock, Logger, Random } from "@skiff/base";
import type { EmbeddedStore } from "@skiff/store";

let signingKey: string | undefined;

/** One key for all clusters of a process, and a short one: making long ones takes longer than a cluster. */
export function keyOfThisProcess(): string {
  signingKey ??= generateKeyPairSync("rsa", {
    modulusLength: 1024,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
  return signingKey;
}

/** An API server with all its standard parts, on a store that lives as long as the test. */
export function openApi(options: {
  readonly store: EmbeddedStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly services?: ServiceConnector;
  readonly usage: UsageSource;
}): Promise<ApiServer> {
  const { store } = options;
  return createApiServer({
    ...options,
    parts: (table) =>
      standardParts({
        ...options,
        table,
        gitVersion: "v1.36.0+skiff.test",
        serviceAccounts: { issuer: "https://kubernetes.default.svc.cluster.local", privateKey: keyOfThisProcess() },
        anonymous: false,
        nodes: { connect: () => Promise.reject(refusals.unavailable("simulated nodes cannot be connected to")) },
        serviceCidr: "10.96.0.0/16",
        nodePorts: [30000, 32767],
        revision: () => store.revision,
      }),
  });
}
