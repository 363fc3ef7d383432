import { type CertificateSigningRequest, CertificateSigningRequests } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { defineController, done, type Loop } from "@skiff/control-loop";
import { planSigning } from "./plan.ts";

/** Makes certificates in the name of the cluster's authority. */
export interface CertificateSigner {
  /** A certificate (PEM) for a request (PKCS #10, DER) with the usages as Kubernetes names them, good for `durationMs` from now. */
  sign(request: {
    readonly der: Buffer;
    readonly usages: readonly string[];
    readonly durationMs: number;
  }): Promise<string>;
}

/** Signs what was approved for one of Kubernetes' own signers. */
export const certificateSigningController = (signer: CertificateSigner): Loop =>
  defineController<CertificateSigningRequest>({
    name: "certificate-signing",
    component: "certificate-controller",
    for: CertificateSigningRequests,
    async reconcile(request, { client, clock, signal }) {
      const plan = planSigning(request);
      const save = async (status: CertificateSigningRequest["status"]) => {
        await client.updateStatus(CertificateSigningRequests, { ...request, status }, { signal });
      };
      if (plan.kind === "sign") {
        const { durationMs, request: parsed } = plan;
        const pem = await signer.sign({ der: parsed.der, usages: request.spec.usages ?? [], durationMs });
        await save({ ...request.status, certificate: Buffer.from(pem).toString("base64") });
      }
      if (plan.kind === "fail") {
        const failed = {
          type: "Failed",
          status: "True",
          reason: "SignerValidationFailure",
          message: plan.why,
          lastUpdateTime: timestamp(clock.now()),
        };
        await save({ ...request.status, conditions: [...(request.status.conditions ?? []), failed] });
      }
      return done;
    },
  });
