import { type FieldError, fieldErrorBody, fieldErrorReason, fieldErrorText } from "./field-error.ts";
import type { Status } from "./generated/types/meta-v1.ts";

/** What a refusal is about: a resource by group and plural, and where known a name. */
export interface StatusSubject {
  readonly group: string;
  /** The plural, or the kind where Kubernetes names the kind (`Invalid`). */
  readonly kind: string;
  readonly name?: string;
  readonly uid?: string;
}

/** A failure as the API answers it: the one error class that crosses the API in either direction. */
export class StatusError extends Error {
  override name = "StatusError";
  readonly status: Status;

  constructor(status: Status, options?: { readonly cause?: unknown }) {
    super(status.message ?? status.reason ?? "unknown failure", options);
    this.status = status;
  }

  /** HTTP status code. */
  get code(): number {
    return this.status.code ?? 500;
  }

  /** Machine-readable class, as in `NotFound`. */
  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** True when `error` is a refusal with the given reason. */
export const hasReason = (error: unknown, reason: string): error is StatusError =>
  error instanceof StatusError && error.reason === reason;

export const isNotFound = (error: unknown): boolean => hasReason(error, "NotFound");
export const isConflict = (error: unknown): boolean => hasReason(error, "Conflict");
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, "AlreadyExists");
/** The revision asked for is compacted: list anew. */
export const isExpired = (error: unknown): boolean => hasReason(error, "Expired") || hasReason(error, "Gone");

/** The refusal of whoever makes something, or binds a pod, in a namespace that goes. */
export const namespaceTerminates = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");

interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly subject?: StatusSubject;
  readonly details?: NonNullable<Status["details"]>;
}

function refuse({ code, reason, message, subject, details }: Refusal): StatusError {
  const about =
    subject === undefined
      ? {}
      : {
          ...(subject.name === undefined ? {} : { name: subject.name }),
          ...(subject.group === "" ? {} : { group: subject.group }),
          kind: subject.kind,
          ...(subject.uid === undefined ? {} : { uid: subject.uid }),
        };
  const all = { ...about, ...details };
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined && Object.keys(all).length === 0 ? {} : { details: all }),
    code,
  });
}

const qualified = ({ group, kind }: StatusSubject): string => (group === "" ? kind : `${kind}.${group}`);

/** The refusals of the API, with the codes, reasons and messages of Kubernetes. */
export const refusals = {
  notFound: (subject: StatusSubject): StatusError =>
    refuse({ code: 404, reason: "NotFound", message: `${qualified(subject)} ${quoted(subject)} not found`, subject }),
  /** A path that leads nowhere. */
  noSuchPath: (): StatusError =>
    refuse({ code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: {} }),
  alreadyExists: (subject: StatusSubject): StatusError =>
    refuse({
      code: 409,
      reason: "AlreadyExists",
      message: `${qualified(subject)} ${quoted(subject)} already exists`,
      subject,
    }),
  conflict: (subject: StatusSubject, why: string): StatusError =>
    refuse({
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on ${qualified(subject)} ${quoted(subject)}: ${why}`,
      subject,
    }),
  /** The object that was to be changed is not the newest. */
  stale: (subject: StatusSubject): StatusError =>
    refusals.conflict(
      subject,
      "the object has been modified; please apply your changes to the latest version and try again",
    ),
  /** `subject.kind` is the kind here, not the plural. */
  invalid: (subject: StatusSubject, errors: readonly FieldError[]): StatusError => {
    const texts = [...new Set(errors.map(fieldErrorText))];
    const [only] = texts;
    return refuse({
      code: 422,
      reason: "Invalid",
      message: `${qualified(subject)} ${quoted(subject)} is invalid: ${texts.length === 1 ? only : `[${texts.join(", ")}]`}`,
      subject,
      details: {
        causes: errors.map((error) => ({
          reason: fieldErrorReason(error),
          message: fieldErrorBody(error),
          field: error.field,
        })),
      },
    });
  },
  badRequest: (message: string): StatusError => refuse({ code: 400, reason: "BadRequest", message }),
  unauthorized: (message = "Unauthorized"): StatusError => refuse({ code: 401, reason: "Unauthorized", message }),
  forbidden: (subject: StatusSubject, why: string): StatusError =>
    refuse({
      code: 403,
      reason: "Forbidden",
      message: `${qualified(subject)} ${quoted(subject)} is forbidden: ${why}`,
      subject,
    }),
  /** `action` is an HTTP verb's meaning here: `create`, `deletecollection`, … */
  methodNotAllowed: (subject: StatusSubject, action: string): StatusError =>
    refuse({
      code: 405,
      reason: "MethodNotAllowed",
      message: `${action} is not supported on resources of kind "${qualified(subject)}"`,
      subject,
    }),
  /** The method is known, but not taken in the present state of things. */
  notAllowedNow: (message: string): StatusError => refuse({ code: 405, reason: "MethodNotAllowed", message }),
  notAcceptable: (message: string): StatusError => refuse({ code: 406, reason: "NotAcceptable", message }),
  unsupportedMediaType: (message: string): StatusError =>
    refuse({ code: 415, reason: "UnsupportedMediaType", message }),
  expired: (message: string, continueToken?: string): StatusError => {
    const error = refuse({ code: 410, reason: "Expired", message });
    return continueToken === undefined
      ? error
      : new StatusError({ ...error.status, metadata: { continue: continueToken } });
  },
  tooLarge: (message: string): StatusError => refuse({ code: 413, reason: "RequestEntityTooLarge", message }),
  tooManyRequests: (message: string, retryAfterSeconds: number, subject?: StatusSubject): StatusError =>
    refuse({
      code: 429,
      reason: "TooManyRequests",
      message,
      ...(subject === undefined ? {} : { subject }),
      details: { retryAfterSeconds },
    }),
  internal: (message: string): StatusError =>
    refuse({
      code: 500,
      reason: "InternalError",
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    }),
  /** What went wrong is not of any class that has a reason. */
  unexplained: (message: string): StatusError => refuse({ code: 500, reason: "", message }),
  unavailable: (message: string): StatusError => refuse({ code: 503, reason: "ServiceUnavailable", message }),
  timeout: (message: string, retryAfterSeconds?: number): StatusError =>
    refuse({
      code: 504,
      reason: "Timeout",
      message: `Timeout: ${message}`,
      details: retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    }),
} as const;

const quoted = (subject: StatusSubject): string => JSON.stringify(subject.name ?? "");
