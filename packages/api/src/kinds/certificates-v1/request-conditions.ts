import { deepCopy, jsonEqual, timestamp } from "@skiff/base";
import { type FieldError, fieldError } from "../../field-error.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../../generated/types/certificates-v1.ts";
import type { RuleContext } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";

const lasting = ["Approved", "Denied", "Failed"];
const ofApproval = ["Approved", "Denied"];

/** The conditions of a request, whoever wrote them. */
export function* checkConditions({ status }: CertificateSigningRequest): Findings {
  const seen = new Set<string>();
  for (const [index, { type = "", status: state = "" }] of (status?.conditions ?? []).entries()) {
    const field = `status.conditions[${index}]`;
    if (type === "") yield fieldError.required(`${field}.type`);
    const states = lasting.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    if (state === "") yield fieldError.required(`${field}.status`);
    else if (!states.includes(state)) yield fieldError.notSupported(`${field}.status`, state, states);
    if (ofApproval.includes(type) && ofApproval.some((other) => other !== type && seen.has(other))) {
      const why = "Approved and Denied conditions are mutually exclusive";
      yield fieldError.invalid("status.conditions", type, why);
    }
    if (seen.has(type)) yield fieldError.duplicate(`${field}.type`, type);
    seen.add(type);
  }
}

/** What a change may do to conditions and certificate: nobody takes decisions back; approving and signing are two things. */
export function checkProgress(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  may: { readonly decide: boolean; readonly certify: boolean },
): FieldError[] {
  const found: FieldError[] = [];
  const forbid = (why: string) => found.push(fieldError.forbidden("status.conditions", why));
  for (const type of lasting) {
    const removed = conditionsOf(request, type).length < conditionsOf(old, type).length;
    if (removed) forbid(`updates may not remove a condition of type ${JSON.stringify(type)}`);
  }
  for (const type of may.decide ? [] : ofApproval) {
    const [before, after] = [conditionsOf(old, type), conditionsOf(request, type)];
    if (after.length < before.length) continue;
    if (after.length > before.length) forbid(`updates may not add a condition of type ${JSON.stringify(type)}`);
    else if (!jsonEqual(before, after)) forbid(`updates may not modify a condition of type ${JSON.stringify(type)}`);
  }
  const [before, after] = [old.status?.certificate ?? "", request.status?.certificate ?? ""];
  if (before !== after && (!may.certify || before !== "")) {
    const why = may.certify
      ? "updates may not modify existing certificate content"
      : "updates may not set certificate content";
    found.push(fieldError.forbidden("status.certificate", why));
  }
  return found;
}

const conditionsOf = ({ status }: CertificateSigningRequest, wanted: string): CertificateSigningRequestCondition[] =>
  (status?.conditions ?? []).filter(({ type }) => type === wanted);

/** Fills in when each condition was written, and when it became what it is. */
export function stampConditions(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { nowMs }: RuleContext,
): void {
  const now = timestamp(nowMs);
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ||= now;
    if (condition.lastTransitionTime) continue;
    const before = conditionsOf(old, condition.type).find(({ status }) => status === condition.status);
    condition.lastTransitionTime = before?.lastTransitionTime ?? now;
  }
}

/** An approval changes the conditions alone. */
export function keepAllButConditions(request: CertificateSigningRequest, old: CertificateSigningRequest): void {
  const conditions = request.status?.conditions;
  request.spec = deepCopy(old.spec);
  request.status = { ...deepCopy(old.status ?? {}) };
  if (conditions === undefined) delete request.status.conditions;
  else request.status.conditions = conditions;
}
