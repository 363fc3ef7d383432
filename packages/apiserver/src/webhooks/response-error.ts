import { type Status, StatusError } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

/** What Kubernetes' clients make of an answer that is no success and no Status. */
const meanings: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ["BadRequest", "the server rejected our request for an unknown reason"],
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  403: ["Forbidden", "forbidden"],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  409: ["Conflict", "the server reported a conflict"],
  415: ["UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  429: ["TooManyRequests", "the server has received too many requests and has asked us to try again later"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: [
    "Timeout",
    "the server was unable to return a response in the time allotted, but may still be processing the request",
  ],
};

const isStatus = (value: unknown): value is Status =>
  isJsonObject(value) && value.kind === "Status" && value.status !== "Success";

/** The failure that an HTTP answer with another status than success stands for. */
export function responseError(code: number, text: string): StatusError {
  try {
    const value: unknown = JSON.parse(text);
    if (isStatus(value)) return new StatusError(value);
  } catch {
    // Most answers of this sort are text.
  }
  const [reason, message] = meanings[code] ?? otherMeaning(code, text);
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    reason,
    message,
    details: { causes: [{ reason: "UnexpectedServerResponse", message: text.trim() || "unknown" }] },
    code,
  });
}

function otherMeaning(code: number, text: string): readonly [string, string] {
  if (code < 500) {
    return ["Unknown", `the server responded with the status code ${code} but did not return more information`];
  }
  const body = text.trim() || "unknown";
  return [
    "InternalError",
    `an error on the server (${JSON.stringify(body)}) has prevented the request from succeeding`,
  ];
}
