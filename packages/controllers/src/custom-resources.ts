import { type CustomResourceDefinition, customResource, type DynamicObject, type ResourceDefinition } from "@skiff/api";

/** By definition: what is made of one is kept for as long as it is as it is. */
const made = new WeakMap<CustomResourceDefinition, readonly ResourceDefinition<DynamicObject>[]>();

/** The resource that an established CustomResourceDefinition serves, in the version that its objects are stored in where that is served. */
export function customResources(definition: CustomResourceDefinition): readonly ResourceDefinition<DynamicObject>[] {
  const known = made.get(definition);
  if (known !== undefined) return known;
  const established = definition.status?.conditions?.some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  const { served, stored } = established === true ? customResource(definition) : { served: [], stored: undefined };
  const best = served.find(({ version }) => version === stored?.version) ?? served[0];
  const resources = best === undefined ? [] : [best];
  made.set(definition, resources);
  return resources;
}
