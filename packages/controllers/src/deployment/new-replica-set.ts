import { type Deployment, Deployments, type New, ownerReference, podTemplateHash, type ReplicaSet } from "@skiff/api";
import { deepCopy } from "@skiff/base";
import { templateHashLabel } from "./annotations.ts";

const longestName = 253;

/** The ReplicaSet of a Deployment's present template, without size and annotations. Its name follows from the template. */
export function newReplicaSet(deployment: Deployment): New<ReplicaSet> {
  const { metadata, spec, status } = deployment;
  const hash = podTemplateHash(spec.template, status?.collisionCount);
  const template = deepCopy(spec.template);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  template.metadata = { ...template.metadata, labels };
  const selector = deepCopy(spec.selector);
  selector.matchLabels = { ...selector.matchLabels, [templateHashLabel]: hash };
  return {
    metadata: {
      // A long name makes room for what tells the sets apart.
      name: `${metadata.name.slice(0, longestName - hash.length - 1)}-${hash}`,
      namespace: metadata.namespace,
      labels: { ...labels },
      ownerReferences: [ownerReference(Deployments, deployment)],
    },
    spec: {
      replicas: 0,
      selector,
      template,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
    },
  };
}
