/**
 * The newer form of events: one store, two views. `note` is `message`, `regarding` is `involvedObject`, `reportingController` is
 * `reportingComponent`, and what only the older form has goes by names that begin with `deprecated`.
 */
import { defineResource } from "../../define-resource.ts";
import type { Event } from "../../generated/types/core-v1.ts";
import type { DynamicObject, KubeObject } from "../../object.ts";
import { Events } from "../core-v1/event.ts";
import { checkEvent, checkNewerEvent, checkNewerEventUpdate } from "../core-v1/event-validation.ts";
import { viewColumns, viewSelectableFields } from "../view-columns.ts";

/** Newer name, older name. All others are the same in both. */
const renamed: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

const toOlder: ReadonlyMap<string, string> = new Map(renamed);
const toNewer: ReadonlyMap<string, string> = new Map(renamed.map(([newer, older]) => [older, newer]));

const rename = (object: DynamicObject, names: ReadonlyMap<string, string>, apiVersion: string): DynamicObject => {
  const { metadata } = object;
  const fields = Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value]);
  return { ...Object.fromEntries(fields), metadata, apiVersion };
};

const toStored = (object: DynamicObject): DynamicObject => rename(object, toOlder, "v1");

/** Findings name fields as the older form does: so does Kubernetes. */
const older = (object: KubeObject): Event => toStored(object as DynamicObject) as KubeObject as Event;

/** `involvedObject.name` is `regarding.name` here. */
const selectorPath = (path: string): string =>
  path.replace(/^[^.]+/, (field) => (field === "source" ? "reportingController" : (toNewer.get(field) ?? field)));

/** `events.events.k8s.io`, stored as core events. */
export const EventsV1 = defineResource({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  columns: viewColumns(Events, toStored),
  selectableFields: viewSelectableFields(Events, toStored, selectorPath).filter(
    ({ path }, index, all) => all.findIndex((field) => field.path === path) === index,
  ),
  validate(object, old) {
    const event = older(object);
    return [...checkEvent(event, "reportingController"), ...(old === undefined ? checkNewerEvent(event) : [])];
  },
  validateUpdate: (object, old) => [...checkNewerEventUpdate(older(object), older(old))],
  storedAs: {
    group: "",
    version: "v1",
    plural: "events",
    toStored,
    fromStored: (stored) => rename(stored, toNewer, "events.k8s.io/v1"),
  },
});
