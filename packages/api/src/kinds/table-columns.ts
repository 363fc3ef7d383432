import type { KubeObject } from "../object.ts";
import type { Column, ResourceDefinition } from "../resource-definition.ts";

const nameColumn: Column = {
  title: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  value: ({ metadata }) => metadata.name,
};

/** All columns of a kind's table. The name comes first unless the kind puts it elsewhere or shows it in its own way. */
export const tableColumns = <T extends KubeObject>(
  resource: Pick<ResourceDefinition<T>, "columns" | "custom">,
): readonly Column<T>[] =>
  resource.custom === undefined && resource.columns.some(({ title }) => title === "Name")
    ? resource.columns
    : [nameColumn, ...resource.columns];
