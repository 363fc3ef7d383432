import { type CertificateSigningRequest, CertificateSigningRequests, isNotFound } from "@skiff/api";
import { againIn, defineController, done } from "@skiff/control-loop";
import { removalTime } from "./plan.ts";

/** Removes certificate requests that were decided, or that nobody decides. */
export const certificateCleanerController = defineController<CertificateSigningRequest>({
  name: "certificate-cleaner",
  component: "certificate-controller",
  for: CertificateSigningRequests,
  async reconcile(request, { client, clock, signal }) {
    const leftMs = removalTime(request) - clock.now();
    if (leftMs > 0) return againIn(leftMs);
    const preconditions = { uid: request.metadata.uid };
    await client
      .delete(CertificateSigningRequests, { name: request.metadata.name }, { preconditions, signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    return done;
  },
});
