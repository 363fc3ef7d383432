import { fieldError } from "../../field-error.ts";
import type { Event } from "../../generated/types/core-v1.ts";
import { checkQualifiedName, type Findings } from "../../validation/checks.ts";

const mostCharacters = { reportingInstance: 128, action: 128, reason: 128, message: 1024 };

/** An event of either form. Only those of the newer form say when they happened, and must be complete. */
export function* checkEvent(event: Event): Findings {
  const { involvedObject, metadata } = event;
  const place = involvedObject?.namespace ?? "";
  const mismatch = fieldError.invalid("involvedObject.namespace", place, "does not match event.namespace");
  if (!event.eventTime) {
    const fits = place === "" ? ["", "default"].includes(metadata.namespace ?? "") : metadata.namespace === place;
    if (!fits) yield mismatch;
    return;
  }
  if (place === "" && !["default", "kube-system"].includes(metadata.namespace)) yield mismatch;
  if (!event.reportingComponent) yield fieldError.required("reportingController");
  yield* checkQualifiedName("reportingController", event.reportingComponent ?? "");
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
