import type { KubeObject } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { AdmissionRequest, KindName, UserInfo } from "../../contracts.ts";
import { asJson } from "../../encoding/object-json.ts";
import { kindOf } from "../matching/equivalents.ts";
import type { Match } from "../matching/request-matcher.ts";
import { namespaceOf } from "../matching/selector-match.ts";

/** A request as one webhook is to see it. */
export interface Review {
  readonly request: AdmissionRequest;
  readonly match: Match;
  /** In the version that the match names. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

const knownVersions = ["v1", "v1beta1"] as const;

/** A version of reviews that a webhook and the server both speak, the first that the webhook names. */
export const reviewVersion = (accepted: readonly string[]): (typeof knownVersions)[number] | undefined =>
  accepted.flatMap((version) => knownVersions.filter((known) => known === version))[0];

/** The `AdmissionReview` to send. */
export function admissionReview(version: string, uid: string, review: Review): JsonObject {
  const { request, match } = review;
  const { resource, subresource, operation, user, dryRun } = request;
  const part = subresource === undefined ? {} : { subResource: subresource };
  const requested = subresource === undefined ? {} : { requestSubResource: subresource };
  const namespace = namespaceOf(request);
  return {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind: kindName(match.kind),
      resource: resourceName(match.resource),
      ...part,
      requestKind: kindName(kindOf(resource, subresource)),
      requestResource: resourceName(resource),
      ...requested,
      ...(request.name === "" ? {} : { name: request.name }),
      ...(namespace === undefined ? {} : { namespace }),
      operation,
      userInfo: userInfo(user),
      object: shown(review.object, operation),
      oldObject: shown(review.oldObject, operation),
      dryRun,
      options: request.options() ?? null,
    },
  };
}

const kindName = ({ group, version, kind }: KindName): JsonObject => ({ group, version, kind });

const resourceName = ({ group, version, plural }: AdmissionRequest["resource"]): JsonObject => ({
  group,
  version,
  resource: plural,
});

function userInfo({ name, uid, groups, extra }: UserInfo): JsonObject {
  const pairs = Object.entries(extra ?? {}).map(([key, values]): [string, string[]] => [key, [...values]]);
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(pairs.length === 0 ? {} : { extra: Object.fromEntries(pairs) }),
  };
}

function shown(object: KubeObject | undefined, operation: string): JsonObject | null {
  if (object === undefined) return null;
  const json = asJson(object);
  if (operation !== "CONNECT") return json;
  const { metadata: _none, ...options } = json;
  return options;
}
