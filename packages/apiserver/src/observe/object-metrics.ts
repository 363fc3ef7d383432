import { qualifiedPlural } from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";
import { head, line } from "./metrics-text.ts";

/** How many objects of each resource are stored. */
export function objectMetrics(table: ResourceTable): string {
  const stored = table.all().filter(({ resource }) => resource.storedAs === undefined);
  const byGroup = stored.map((storage) => {
    const { group, plural } = storage.resource;
    return line("apiserver_resource_objects", { group, resource: plural }, storage.count());
  });
  const byName = stored.map((storage) =>
    line("apiserver_storage_objects", { resource: qualifiedPlural(storage.resource) }, storage.count()),
  );
  return [
    head("apiserver_resource_objects", "gauge", "Objects that are stored, by group and resource."),
    ...byGroup,
    head("apiserver_storage_objects", "gauge", "Objects that are stored, by resource."),
    ...byName,
  ].join("");
}
