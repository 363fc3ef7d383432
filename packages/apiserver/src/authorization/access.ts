import { parseFieldSelector, type RequestPath, refusals, SelectorError, StatusError } from "@skiff/api";
import type { Decision, RequestSelectors, UserInfo } from "../contracts.ts";

/**
 * What is asked of authorization: a request of the API as it came in, or a question of an access review, whose verbs are
 * free (`impersonate`, `use`, `bind`).
 */
export type Access =
  | ({ readonly kind: "resource"; readonly verb: string } & RequestPath & RequestSelectors)
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

export interface AccessRequest {
  readonly user: UserInfo;
  readonly request: Access;
}

/** An `Authorizer` that also answers questions with free verbs. A promise only where somebody else has to be asked. */
export interface AccessAuthorizer {
  authorize(request: AccessRequest): Decision | Promise<Decision>;
  /** Why it cannot tell all that a user may do, where it cannot; absent: it can, or allows nothing by itself. */
  unlisted?(user: UserInfo): string | undefined;
}

/** The value that an access is confined to in a field: its field selector asks for that one alone. */
export function requiredValue({ fieldSelector }: RequestSelectors, field: string): string | undefined {
  if (fieldSelector === undefined) return undefined;
  try {
    const { requirements } = parseFieldSelector(fieldSelector);
    return requirements.find((one) => one.field === field && one.operator === "=")?.value;
  } catch (error) {
    // What cannot be read confines nothing; the request will be refused for it.
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

const cannot = ({ user, request }: AccessRequest): string => {
  const who = `User ${JSON.stringify(user.name)} cannot ${request.verb}`;
  if (request.kind === "path") return `${who} path ${JSON.stringify(request.path)}`;
  const resource = request.subresource === undefined ? request.plural : `${request.plural}/${request.subresource}`;
  const what = `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(request.group)}`;
  return request.namespace === undefined || request.namespace === ""
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${JSON.stringify(request.namespace)}`;
};

/** The refusal (403) that Kubernetes words for a request that nobody allowed. */
export function forbidden(access: AccessRequest, reason: string): StatusError {
  const why = reason === "" ? cannot(access) : `${cannot(access)}: ${reason}`;
  const { request } = access;
  if (request.kind === "path")
    return withMessage(refusals.forbidden({ group: "", kind: "" }, why), `forbidden: ${why}`, {});
  const { group, plural: kind, name } = request;
  const resource = group === "" ? kind : `${kind}.${group}`;
  const details = { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind };
  const about = name === undefined || name === "" ? resource : `${resource} ${JSON.stringify(name)}`;
  return withMessage(refusals.forbidden({ group, kind }, why), `${about} is forbidden: ${why}`, details);
}

const withMessage = (error: StatusError, message: string, details: Record<string, string>): StatusError =>
  new StatusError({ ...error.status, message, details });
