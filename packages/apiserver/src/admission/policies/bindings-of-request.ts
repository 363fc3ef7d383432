import type { KubeObject, Namespace } from "@skiff/api";
import { describeError, isJsonObject, type JsonObject } from "@skiff/base";
import {
  type AccessAnswer,
  type AccessQuestion,
  authorizerValue,
  type Bindings,
  type CelAuthorizer,
  celFromJson,
  namespaceType,
  requestType,
  resourceCheckValue,
} from "@skiff/cel";
import { serviceAccountUser } from "../../authentication/service-account-tokens.ts";
import type { Access, AccessAuthorizer } from "../../authorization/access.ts";
import type { AdmissionRequest, Decision, UserInfo } from "../../contracts.ts";
import type { Match } from "../matching/request-matcher.ts";
import { admissionReview } from "../webhooks/admission-review.ts";

/** A request as expressions are to see it. */
export interface RequestView {
  readonly request: AdmissionRequest;
  readonly match: Match;
  /** In the version that the match names. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly namespace: Namespace | undefined;
  readonly authorizer: AccessAuthorizer;
}

/**
 * Evaluates with the values of the variables that all expressions on a request have. Expressions do not wait: where the
 * authorizer has to ask somebody else, evaluation stops, the answer is waited for, and evaluation starts over with it.
 */
export async function evaluateWith<T>(
  view: RequestView,
  params: KubeObject | undefined,
  evaluate: (bindings: Bindings) => T,
): Promise<T> {
  const asker = new Asker(view.authorizer, view.request.user);
  for (;;) {
    try {
      return evaluate(bindingsOf(view, params, asker));
    } catch (error) {
      if (!(error instanceof AnswerPending)) throw error;
      await error.answered;
    }
  }
}

/** Values that cost something are made when asked for. */
function bindingsOf(view: RequestView, params: KubeObject | undefined, asker: Asker): Bindings {
  const { request, object, oldObject, namespace } = view;
  return {
    object: () => seen(object, request.operation),
    oldObject: () => seen(oldObject, request.operation),
    request: () => celFromJson(requestJson(view), requestType),
    namespaceObject: () => celFromJson(namespace === undefined ? null : namespaceJson(namespace), namespaceType),
    params: () => celFromJson(params ?? null),
    authorizer: () => authorizerValue(asker),
    "authorizer.requestResource": () => resourceCheckValue(asker, resourceOf(request)),
  };
}

/** Options of a connection have no metadata in truth. */
function seen(
  object: KubeObject | undefined,
  operation: AdmissionRequest["operation"],
): ReturnType<typeof celFromJson> {
  if (object === undefined) return null;
  if (operation !== "CONNECT") return celFromJson(object);
  const { metadata: _none, ...options } = object;
  return celFromJson(options);
}

function requestJson({ request, match }: RequestView): JsonObject {
  const review = admissionReview("v1", "", { request, match, object: undefined, oldObject: undefined });
  return isJsonObject(review.request) ? review.request : {};
}

function namespaceJson({ metadata, spec, status }: Namespace): JsonObject {
  const { name, generateName, labels, annotations, uid, creationTimestamp, generation, resourceVersion } = metadata;
  const { deletionGracePeriodSeconds, deletionTimestamp, finalizers } = metadata;
  return {
    metadata: {
      name,
      generateName,
      labels: labels === undefined ? undefined : { ...labels },
      annotations: annotations === undefined ? undefined : { ...annotations },
      UID: uid,
      creationTimestamp,
      deletionGracePeriodSeconds,
      deletionTimestamp,
      generation,
      resourceVersion,
      finalizers: finalizers === undefined ? undefined : [...finalizers],
    },
    spec: { finalizers: [...(spec?.finalizers ?? [])] },
    status: { phase: status?.phase },
  };
}

const resourceOf = ({ resource, subresource, namespace, name }: AdmissionRequest) => ({
  kind: "resource" as const,
  group: resource.group,
  resource: resource.plural,
  subresource: subresource ?? "",
  namespace: namespace ?? "",
  name,
});

/** Thrown through an evaluation that cannot go on before an answer is there. */
class AnswerPending extends Error {
  override readonly name = "AnswerPending";
  readonly answered: Promise<void>;

  constructor(answered: Promise<void>) {
    super("the authorizer is still to answer");
    this.answered = answered;
  }
}

/** Asks the authorizer in the name of the request's user. The same question is asked once. */
class Asker implements CelAuthorizer {
  readonly #authorizer: AccessAuthorizer;
  readonly #user: UserInfo;
  readonly #known = new Map<string, AccessAnswer>();

  constructor(authorizer: AccessAuthorizer, user: UserInfo) {
    this.#authorizer = authorizer;
    this.#user = user;
  }

  check(
    question: AccessQuestion,
    serviceAccount: { readonly namespace: string; readonly name: string } | undefined,
  ): AccessAnswer {
    const key = JSON.stringify([question, serviceAccount]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const user = serviceAccount === undefined ? this.#user : accountUser(serviceAccount);
    const decision = this.#authorizer.authorize({ user, request: accessOf(question) });
    if (decision instanceof Promise) {
      throw new AnswerPending(
        decision.then(
          (decided) => void this.#known.set(key, answerOf(decided)),
          (error: unknown) => void this.#known.set(key, { allowed: false, reason: "", error: describeError(error) }),
        ),
      );
    }
    const answer = answerOf(decision);
    this.#known.set(key, answer);
    return answer;
  }
}

const answerOf = ({ kind, reason }: Decision): AccessAnswer => ({ allowed: kind === "allowed", reason, error: "" });

function accountUser({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  const { groups, ...user } = serviceAccountUser(namespace, name);
  return { ...user, groups: [...groups, "system:authenticated"] };
}

function accessOf(question: AccessQuestion): Access {
  if (question.kind === "path") return question;
  const { verb, group, resource: plural, subresource, namespace, name } = question;
  const { fieldSelector = "", labelSelector = "" } = question;
  return {
    kind: "resource",
    verb,
    group,
    version: "*",
    plural,
    ...(subresource === "" ? {} : { subresource }),
    ...(namespace === "" ? {} : { namespace }),
    ...(name === "" ? {} : { name }),
    ...(fieldSelector === "" ? {} : { fieldSelector }),
    ...(labelSelector === "" ? {} : { labelSelector }),
  };
}
