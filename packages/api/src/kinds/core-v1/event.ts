import { defineResource } from "../../define-resource.ts";
import type { Event } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { since } from "../human-duration.ts";
import { checkEvent } from "./event-validation.ts";

/** How long ago the event was first seen; events of the newer API only say when they happened. */
const firstSeen = ({ firstTimestamp, eventTime }: Event, nowMs: number): string =>
  since(firstTimestamp ?? eventTime, nowMs);

const lastSeen = (event: Event, nowMs: number): string => {
  if (event.series) return since(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? since(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
};

function objectText({ involvedObject }: Event): string {
  const { kind = "", name } = involvedObject ?? {};
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const instance = source?.host || reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

const columns: readonly Column<Event>[] = [
  {
    title: "Last Seen",
    description: "The time at which the most recent occurrence of this event was recorded.",
    value: (event, { nowMs }) => lastSeen(event, nowMs),
  },
  {
    title: "Type",
    description: "Type of this event (Normal, Warning), new types could be added in the future",
    value: ({ type }) => type ?? "",
  },
  {
    title: "Reason",
    description:
      "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
    value: ({ reason }) => reason ?? "",
  },
  { title: "Object", description: "The object that this event is about.", value: objectText },
  {
    title: "Subobject",
    priority: 1,
    description: "If referring to a piece of an object instead of an entire object, the path of the piece.",
    value: ({ involvedObject }) => involvedObject?.fieldPath ?? "",
  },
  {
    title: "Source",
    priority: 1,
    description: "The component reporting this event. Should be a short machine understandable string.",
    value: sourceText,
  },
  {
    title: "Message",
    description: "A human-readable description of the status of this operation.",
    value: ({ message }) => (message ?? "").trim(),
  },
  {
    title: "First Seen",
    priority: 1,
    description: "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)",
    value: (event, { nowMs }) => firstSeen(event, nowMs),
  },
  {
    title: "Count",
    priority: 1,
    description: "The number of times this event has occurred.",
    value: ({ series, count }) => series?.count ?? (count || 1),
  },
  // Says where the name goes: here it is not the first column.
  {
    title: "Name",
    format: "name",
    priority: 1,
    description: "Name of the event.",
    value: ({ metadata }) => metadata.name,
  },
];

const ofObject = (field: "kind" | "namespace" | "name" | "uid" | "apiVersion" | "resourceVersion" | "fieldPath") => ({
  path: `involvedObject.${field}`,
  value: ({ involvedObject }: Event) => involvedObject?.[field] ?? "",
});

/** `events`. */
export const Events = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  columns,
  selectableFields: [
    ofObject("kind"),
    ofObject("namespace"),
    ofObject("name"),
    ofObject("uid"),
    ofObject("apiVersion"),
    ofObject("resourceVersion"),
    ofObject("fieldPath"),
    { path: "reason", value: ({ reason }) => reason ?? "" },
    { path: "reportingComponent", value: ({ reportingComponent }) => reportingComponent ?? "" },
    { path: "source", value: ({ source, reportingComponent }) => source?.component || reportingComponent || "" },
    { path: "type", value: ({ type }) => type ?? "" },
  ],
  validate: (event) => [...checkEvent(event)],
  defaults(event) {
    event.involvedObject ??= {};
    event.source ??= {};
    // Written even when empty, as Kubernetes does.
    event.reportingComponent ??= "";
    event.reportingInstance ??= "";
  },
});
