import type { DynamicObject } from "../object.ts";
import type { Column, ResourceDefinition, SelectableField } from "../resource-definition.ts";

type ToStored = (object: DynamicObject) => DynamicObject;

/** The columns of a stored kind for a view of it: each looks at the stored form. */
export const viewColumns = (stored: ResourceDefinition, toStored: ToStored): readonly Column<DynamicObject>[] =>
  stored.columns.map((column) => ({
    ...column,
    value: (object, context) => column.value(toStored(object), context),
  }));

/** The selectable fields of a stored kind for a view of it, by the names that the view has for them. */
export const viewSelectableFields = (
  stored: ResourceDefinition,
  toStored: ToStored,
  rename: (path: string) => string,
): readonly SelectableField<DynamicObject>[] =>
  stored.selectableFields.map((field) => ({
    path: rename(field.path),
    value: (object) => field.value(toStored(object)),
  }));
