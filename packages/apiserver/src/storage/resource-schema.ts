import { definitionSchema, type ResourceDefinition, type StructSchema } from "@skiff/api";

/** A resource's schema: custom resources bring theirs, which is read when it is first needed; built-in ones are known by name. */
export const resourceSchema = ({ custom, schema }: Pick<ResourceDefinition, "custom" | "schema">): StructSchema =>
  custom?.struct ?? definitionSchema(schema);
