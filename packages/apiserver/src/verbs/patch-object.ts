import { type KubeObject, type ObjectRef, type ParsedPatch, patchedObject, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asJson } from "../encoding/object-json.ts";
import { applyObject } from "../storage/apply-object.ts";
import { modifyObject } from "../storage/modify-object.ts";
import type { ObjectStorage, Written } from "../storage/object-storage.ts";
import { checkPlace, placePatched } from "./check-place.ts";
import { warnOf, withMetadata } from "./decode-body.ts";
import { dedupOwnerReferences } from "./owner-references.ts";
import type { ParsedConfiguration, PatchBody } from "./parse-patch.ts";

/** A patch of any of the four types. */
export interface Patch {
  readonly body: PatchBody;
  /** With type `apply`. */
  readonly force: boolean;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
}

/** Patches an object; apply makes it where it is not there. */
export async function patchObject(storage: ObjectStorage, ref: ObjectRef, request: Patch): Promise<Written> {
  const { body, context, subresource } = request;
  if (body.type === "apply") return await applyPatch(storage, ref, { ...request, body });
  let told = false;
  const change = (current: KubeObject): KubeObject => {
    const { value, strictErrors } = carriedOut(storage, current, { patch: body, context });
    // A patch that is carried out anew, because somebody else was faster, has told its warnings already.
    if (!told) warnOf(strictErrors, context);
    told = true;
    const patched = withMetadata(value);
    dedupOwnerReferences(patched, context, " after mutating admission happens");
    placePatched(patched, ref);
    checkPlace(patched, ref);
    return patched;
  };
  return {
    served: await modifyObject(storage, ref, { change, context, subresource, ownObject: true }),
    created: false,
  };
}

const carriedOut = (
  { schema }: ObjectStorage,
  current: KubeObject,
  { patch, context }: { readonly patch: ParsedPatch; readonly context: WriteContext },
) => patchedObject({ current: asJson(current), patch, schema, fieldValidation: context.fieldValidation });

interface ApplyPatch extends Patch {
  readonly body: ParsedConfiguration;
}

async function applyPatch(
  storage: ObjectStorage,
  ref: ObjectRef,
  { body, force, context, subresource }: ApplyPatch,
): Promise<Written> {
  const config: JsonObject = isJsonObject(body.value.metadata) ? body.value : { ...body.value, metadata: {} };
  checkKind(storage, config);
  return await applyObject(storage, ref, { config, strictErrors: body.strictErrors, force, context, subresource });
}

function checkKind({ apiVersion, resource }: ObjectStorage, config: JsonObject): void {
  if (config.apiVersion === apiVersion && config.kind === resource.kind) return;
  const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");
  if (config.kind === resource.kind && text(config.apiVersion) !== "") {
    const said = `Specified patch version: ${text(config.apiVersion)}, expected: ${apiVersion}`;
    throw refusals.badRequest(`Incorrect version specified in apply patch. ${said}`);
  }
  const [group, version] = text(config.apiVersion).includes("/")
    ? text(config.apiVersion).split("/", 2)
    : ["", text(config.apiVersion)];
  throw refusals.badRequest(`invalid object type: ${group}/${version}, Kind=${text(config.kind)}`);
}
