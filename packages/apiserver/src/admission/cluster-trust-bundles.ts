import { isJsonObject, jsonEqual } from "@skiff/base";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";
import { maySignFor } from "./certificates.ts";
import { refused } from "./narrow.ts";

const specOf = (object: AdmissionRequest["object"]): unknown => Reflect.get(object ?? {}, "spec");

/** Whoever publishes a bundle in a signer's name must be allowed to `attest` for it. */
export const clusterTrustBundleAttest = (authorizer: AccessAuthorizer): AdmissionPlugin => ({
  name: "ClusterTrustBundleAttest",
  resources: [{ group: "certificates.k8s.io", plural: "clustertrustbundles" }],
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
  async validate(request) {
    const spec = specOf(request.object);
    const signerName = isJsonObject(spec) ? spec.signerName : undefined;
    if (typeof signerName !== "string" || signerName === "") return;
    if (request.operation === "UPDATE" && jsonEqual(spec, specOf(request.oldObject))) return;
    if (await maySignFor(authorizer, request, { verb: "attest", signerName })) return;
    throw refused(request, `user not permitted to attest for signerName ${JSON.stringify(signerName)}`);
  },
});
