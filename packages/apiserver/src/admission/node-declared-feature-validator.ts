import { featuresToChange, Nodes, Pods, undeclaredBy } from "@skiff/api";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

/** A pod on a node can only be changed in ways that the node says it can follow. */
export const nodeDeclaredFeatureValidator = (table: ResourceTable): AdmissionPlugin => ({
  name: "NodeDeclaredFeatureValidator",
  resources: [Pods],
  handles: ({ operation, subresource }) =>
    operation === "UPDATE" && (subresource === undefined || subresource === "resize"),
  validate(request) {
    const [pod, old] = [objectOf(request, Pods), oldObjectOf(request, Pods)];
    const name = pod?.spec?.nodeName;
    if (!name || old === undefined) return;
    const features = featuresToChange(old.spec, pod.spec);
    if (features.length === 0) return;
    const node = table.of(Nodes).peek({ name });
    if (node === undefined) throw refused(request, `node ${JSON.stringify(name)} not found`);
    const missing = undeclaredBy(node.status, features);
    if (missing.length === 0) return;
    throw refused(
      request,
      `pod update requires features ${missing.join(", ")} which are not available on node ${JSON.stringify(name)}`,
    );
  },
});
