import type { JsonValue } from "@skiff/base";
import { StatusError } from "../status-error.ts";

const status = (code: number, message: string, reason?: string): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason === undefined ? {} : { reason, details: {} }),
    code,
  });

/** 422 as Kubernetes answers a patch that cannot be carried out: it keeps `why` (here the error's cause) to itself. */
export function unprocessable(why: string): StatusError {
  const shown = status(422, "the server rejected our request due to an error in our request", "Invalid");
  shown.cause = new Error(why);
  return shown;
}

/** 500 without a reason: how Kubernetes answers with an error that it has not classified. Its text is the message. */
export const unclassified = (message: string): StatusError => status(500, message);

/** A JSON value as Go prints it with `%v`: `map[image:nginx name:web]`. */
export function goText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const members = Object.keys(value).sort();
  return `map[${members.map((key) => `${key}:${goText(value[key])}`).join(" ")}]`;
}
