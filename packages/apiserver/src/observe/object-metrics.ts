import { qualifiedPlural } from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";
import { head, line } from "./metrics-text.ts";

/** How many objects of each resource are stored, and what its watches were told. */
export function objectMetrics(table: ResourceTable): string {
  const stored = table.all().filter(({ resource }) => resource.storedAs === undefined);
  const byGroup = stored.map((storage) => {
    const { group, plural } = storage.resource;
    return line("apiserver_resource_objects", { group, resource: plural }, storage.count());
  });
  const byName = stored.map((storage) =>
    line("apiserver_storage_objects", { resource: qualifiedPlural(storage.resource) }, storage.count()),
  );
  const watched = table.all().filter(({ told }) => told.events > 0);
  const labelsOf = ({ resource: { group, version, plural } }: (typeof watched)[number]) => ({
    group,
    version,
    resource: plural,
  });
  return [
    head("apiserver_watch_events_total", "counter", "Events that watches were told."),
    ...watched.map((storage) => line("apiserver_watch_events_total", labelsOf(storage), storage.told.events)),
    head("apiserver_resource_objects", "gauge", "Objects that are stored, by group and resource."),
    ...byGroup,
    head("apiserver_storage_objects", "gauge", "Objects that are stored, by resource."),
    ...byName,
  ].join("");
}
