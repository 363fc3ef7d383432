import type { CertificateSigningRequest } from "@skiff/api";
import { type Clock, timestamp } from "@skiff/base";

/** The request with the condition that a controller has approved it. */
export function approvedBy(
  request: CertificateSigningRequest,
  message: string,
  clock: Clock,
): CertificateSigningRequest {
  const approved = {
    type: "Approved",
    status: "True",
    reason: "AutoApproved",
    message,
    lastUpdateTime: timestamp(clock.now()),
  };
  return { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] } };
}
