import { type Status, StatusError } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";

/** What a webhook decided. */
export interface ReviewResponse {
  readonly allowed: boolean;
  /** Why not, as the webhook puts it. */
  readonly result: Status | undefined;
  /** A JSON patch, not yet parsed. */
  readonly patch: string | undefined;
  readonly patchType: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

const quoted = (value: unknown): string => JSON.stringify(value ?? "");
const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

/**
 * Reads the `AdmissionReview` that came back. Throws an `Error` with Kubernetes' words where it is not an answer to the
 * question; version `v1beta1` is not held to what only `v1` promises.
 */
export function reviewResponse(
  review: JsonObject,
  asked: { readonly version: "v1" | "v1beta1"; readonly uid: string; readonly mutating: boolean },
): ReviewResponse {
  const { response } = review;
  if (!isJsonObject(response)) throw new Error("webhook response was absent");
  const patch = text(response.patch);
  const given = response.patchType;
  if (asked.version === "v1") {
    if (text(response.uid) !== asked.uid) {
      throw new Error(`expected response.uid=${quoted(asked.uid)}, got ${quoted(response.uid)}`);
    }
    checkKind(review);
    checkPatch(patch, given, asked.mutating);
  }
  const patches = asked.mutating && patch !== "";
  return {
    allowed: response.allowed === true,
    result: statusOf(response.status),
    patch: patches ? Buffer.from(patch, "base64").toString("utf8") : undefined,
    patchType: asked.version === "v1" ? text(given) : patches ? "JSONPatch" : "",
    auditAnnotations: textsOf(response.auditAnnotations),
    warnings: Array.isArray(response.warnings) ? response.warnings.filter((item) => typeof item === "string") : [],
  };
}

function checkKind({ apiVersion, kind }: JsonObject): void {
  const shown = (version: string, name: string) => `${version}, Kind=${name}`;
  const wanted = shown("admission.k8s.io/v1", "AdmissionReview");
  const got = shown(text(apiVersion), text(kind));
  if (got !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${got}`);
}

function checkPatch(patch: string, patchType: JsonValue | undefined, mutating: boolean): void {
  const typed = patchType !== undefined && patchType !== null;
  if (!mutating) {
    if (patch !== "") throw new Error("validating webhook may not return response.patch");
    if (typed) throw new Error("validating webhook may not return response.patchType");
    return;
  }
  if (patch !== "" && !typed) throw new Error("webhook returned response.patch but not response.patchType");
  if (patch === "" && typed) throw new Error("webhook returned response.patchType but not response.patch");
  if (patchType === "") throw new Error('webhook returned invalid response.patchType of ""');
}

const textsOf = (value: JsonValue | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isJsonObject(value) ? value : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === "string",
    ),
  );

const isStatus = (value: JsonValue | undefined): value is JsonObject & Status => isJsonObject(value);
const statusOf = (value: JsonValue | undefined): Status | undefined => (isStatus(value) ? value : undefined);

/** A webhook's refusal as the client gets it: its status, made one of a failure, in the webhook's name. */
export function denial(name: string, result: Status | undefined): StatusError {
  const { code = 0, status = "", message = "", reason = "" } = result ?? {};
  const denied = `admission webhook ${quoted(name)} denied the request`;
  const why = message || reason;
  return new StatusError({
    metadata: {},
    ...result,
    kind: "Status",
    apiVersion: "v1",
    status: status === "" || status === "Success" ? "Failure" : status,
    message: why === "" ? `${denied} without explanation` : `${denied}: ${why}`,
    code: code < 400 ? 400 : code,
  });
}
