import { type FieldError, fieldError, type PatchType, parseBody, refusals } from "@skiff/api";
import type { JsonValue } from "@skiff/base";
import { refuseOptions } from "./write-options.ts";

/** A patch as it came in. */
export interface PatchRequest {
  readonly type: PatchType;
  readonly text: string;
  /** The option `force`; `undefined` where it is not given. */
  readonly force: boolean | undefined;
  readonly hasManager: boolean;
}

/** Reads a patch's body and checks the options that depend on its type. Throws 400 and 422. */
export function parsePatch(request: PatchRequest): { readonly value: JsonValue; readonly force: boolean } {
  checkPatchOptions(request);
  return { value: parse(request), force: request.force ?? false };
}

/** Throws 422 for options that do not go with the type of a patch. */
export function checkPatchOptions({ type, force, hasManager }: Omit<PatchRequest, "text">): void {
  const errors: FieldError[] = [];
  if (type !== "apply" && force !== undefined) {
    errors.push(fieldError.forbidden("force", "may not be specified for non-apply patch"));
  }
  if (type === "apply" && !hasManager) {
    errors.push(fieldError.required("fieldManager", "is required for apply patch"));
  }
  refuseOptions("PatchOptions", errors);
}

function parse({ type, text }: PatchRequest): JsonValue {
  try {
    if (type === "apply") return parseBody(text, "yaml").value;
    return parseBody(text, "json").value;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const why = message.replace("couldn't get version/kind; json parse error: ", "");
    throw refusals.badRequest(`error decoding ${type === "apply" ? "YAML" : "patch"}: ${why}`);
  }
}
