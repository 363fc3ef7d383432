import {
  type KubeObject,
  type New,
  ownerReference,
  type Pod,
  type PodTemplateSpec,
  type ResourceDefinition,
} from "@skiff/api";
import { deepCopy } from "@skiff/base";

/** A pod as a template describes it, controlled by `owner`; the server completes the name. */
export function podFromTemplate<Owner extends KubeObject>(
  template: PodTemplateSpec,
  resource: ResourceDefinition<Owner>,
  owner: Owner,
): New<Pod> {
  const { labels, annotations, finalizers } = deepCopy(template.metadata ?? {});
  const { name, namespace } = owner.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [ownerReference(resource, owner)],
    },
    ...(template.spec === undefined ? {} : { spec: deepCopy(template.spec) }),
  };
}
