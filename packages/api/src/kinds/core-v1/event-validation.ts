import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Event } from "../../generated/types/core-v1.ts";
import { checkImmutable, checkQualifiedName, type Findings } from "../../validation/checks.ts";

const mostCharacters = { reportingInstance: 128, action: 128, reason: 128, message: 1024 };

/** What the two forms of events call the component that reports. */
export type ReporterField = "reportingComponent" | "reportingController";

/** An event of either form. Only those of the newer form say when they happened, and must be complete. */
export function* checkEvent(event: Event, reporter: ReporterField = "reportingComponent"): Findings {
  const { involvedObject, metadata } = event;
  const place = involvedObject?.namespace ?? "";
  const mismatch = fieldError.invalid("involvedObject.namespace", place, "does not match event.namespace");
  if (!event.eventTime) {
    const fits = place === "" ? ["", "default"].includes(metadata.namespace ?? "") : metadata.namespace === place;
    if (!fits) yield mismatch;
    return;
  }
  if (place === "" && !["default", "kube-system"].includes(metadata.namespace)) yield mismatch;
  if (!event.reportingComponent) yield fieldError.required(reporter);
  yield* checkQualifiedName(reporter, event.reportingComponent ?? "");
  for (const field of ["reportingInstance", "action", "reason"] as const) yield* checkText(field, event[field]);
  yield* checkLength("message", event.message ?? "");
}

function* checkText(field: keyof typeof mostCharacters, text: string | undefined): Findings {
  if (!text) yield fieldError.required(field);
  yield* checkLength(field, text ?? "");
}

function* checkLength(field: keyof typeof mostCharacters, text: string): Findings {
  const most = mostCharacters[field];
  if (Buffer.byteLength(text) > most) yield fieldError.invalid(field, "", `can have at most ${most} characters`);
}

/** What the newer API asks of a new event besides: all that it has, and nothing that only the older one has. */
export function* checkNewerEvent(event: Event): Findings {
  yield* checkSeries(event);
  if (!event.eventTime) yield fieldError.required("eventTime");
  if (event.type !== "Normal" && event.type !== "Warning") {
    yield fieldError.invalid("type", "", `has invalid value: ${event.type ?? ""}`);
  }
  for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const) {
    if (event[field]) yield fieldError.invalid(field, "", "needs to be unset");
  }
  if (event.source?.component || event.source?.host) yield fieldError.invalid("source", "", "needs to be unset");
}

const immutable = [
  "involvedObject",
  "reason",
  "message",
  "source",
  "firstTimestamp",
  "lastTimestamp",
  "count",
  "type",
  "eventTime",
  "action",
  "related",
  "reportingComponent",
  "reportingInstance",
] as const;

/** What the newer API lets change in an event: its series. */
export function* checkNewerEventUpdate(event: Event, old: Event): Findings {
  if (!jsonEqual(event.series, old.series)) yield* checkSeries(event);
  for (const field of immutable) {
    yield* checkImmutable(field === "reportingComponent" ? "reportingController" : field, event[field], old[field]);
  }
}

function* checkSeries({ series }: Event): Findings {
  if (series === undefined) return;
  if ((series.count ?? 0) < 2) yield fieldError.invalid("series.count", "", "should be at least 2");
  if (!series.lastObservedTime) yield fieldError.required("series.lastObservedTime");
}
