import { dnsLabel, dnsSubdomain } from "@skiff/api";
import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import type { OpaqueValue } from "../../values/cel-value.ts";
import { text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";

/** What an expression asks the authorizer. */
export type AccessQuestion =
  | { readonly kind: "path"; readonly path: string; readonly verb: string }
  | {
      readonly kind: "resource";
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly verb: string;
      readonly fieldSelector?: string;
      readonly labelSelector?: string;
    };

/** The answer. `error` is empty unless asking failed. */
export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error: string;
}

/** The authorizer as expressions see it: for whoever made the request, or for a service account. */
export interface CelAuthorizer {
  /** `serviceAccount` is `undefined` for whoever made the request. */
  check(
    question: AccessQuestion,
    serviceAccount: { readonly namespace: string; readonly name: string } | undefined,
  ): AccessAnswer;
}

class Asker {
  readonly authorizer: CelAuthorizer;
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined;

  constructor(authorizer: CelAuthorizer, serviceAccount: Asker["serviceAccount"]) {
    this.authorizer = authorizer;
    this.serviceAccount = serviceAccount;
  }
}

type ResourceQuestion = Omit<Extract<AccessQuestion, { readonly kind: "resource" }>, "verb">;

class PathCheck {
  readonly asker: Asker;
  readonly path: string;

  constructor(asker: Asker, path: string) {
    this.asker = asker;
    this.path = path;
  }
}

class GroupCheck {
  readonly asker: Asker;
  readonly group: string;

  constructor(asker: Asker, group: string) {
    this.asker = asker;
    this.group = group;
  }
}

class ResourceCheck {
  readonly asker: Asker;
  readonly question: ResourceQuestion;

  constructor(asker: Asker, question: ResourceQuestion) {
    this.asker = asker;
    this.question = question;
  }

  with(more: Partial<ResourceQuestion>): ResourceCheck {
    return new ResourceCheck(this.asker, { ...this.question, ...more });
  }
}

class Decision {
  readonly answer: AccessAnswer;

  constructor(answer: AccessAnswer) {
    this.answer = answer;
  }
}

const typeOf = <T>(name: string, holds: (content: unknown) => content is T): OpaqueType<T> => ({
  name: `kubernetes.authorization.${name}`,
  same: (a, b) => a === b,
  holds,
});

const askerType = typeOf("Authorizer", (one): one is Asker => one instanceof Asker);
const pathType = typeOf("PathCheck", (one): one is PathCheck => one instanceof PathCheck);
const groupType = typeOf("GroupCheck", (one): one is GroupCheck => one instanceof GroupCheck);
const resourceType = typeOf("ResourceCheck", (one): one is ResourceCheck => one instanceof ResourceCheck);
const decisionType = typeOf("Decision", (one): one is Decision => one instanceof Decision);

/** The value of the variable `authorizer`. */
export const authorizerValue = (authorizer: CelAuthorizer): OpaqueValue =>
  new Opaque(askerType, new Asker(authorizer, undefined));

/** The value of the variable `authorizer.requestResource`. */
export const resourceCheckValue = (authorizer: CelAuthorizer, question: ResourceQuestion): OpaqueValue =>
  new Opaque(resourceType, new ResourceCheck(new Asker(authorizer, undefined), question));

function filled(value: string, what: string): string {
  if (value.trim() === "") throw new EvaluationError(`${what} must not be empty`);
  return value;
}

function serviceAccount(asker: Asker, namespace: string, name: string): Opaque<Asker> {
  if (dnsSubdomain(name).length > 0) throw new EvaluationError("Invalid service account name");
  if (dnsLabel(namespace).length > 0) throw new EvaluationError("Invalid service account namespace");
  return new Opaque(askerType, new Asker(asker.authorizer, { namespace, name }));
}

function askedOf(check: ResourceCheck, verb: string): Opaque<Decision> {
  const { authorizer, serviceAccount: as } = check.asker;
  return new Opaque(decisionType, new Decision(authorizer.check({ ...check.question, verb }, as)));
}

const a = "kubernetes.authorization";
type Given = Parameters<Overload["call"]>[0][number] | undefined;
const resource = (value: Given): ResourceCheck => contentOf(resourceType, value);
const changed = (check: ResourceCheck): Opaque<ResourceCheck> => new Opaque(resourceType, check);
const answer = (value: Given): AccessAnswer => contentOf(decisionType, value).answer;

/** `authorizer.group("apps").resource("deployments").check("create").allowed()` and its kin. */
export const authorizerFunctions: readonly Overload[] = [
  overload(
    "authorizer_path",
    `${a}.Authorizer.path(string): ${a}.PathCheck`,
    ([of, path]) => new Opaque(pathType, new PathCheck(contentOf(askerType, of), filled(text(path), "path"))),
  ),
  overload(
    "authorizer_group",
    `${a}.Authorizer.group(string): ${a}.GroupCheck`,
    ([of, group]) => new Opaque(groupType, new GroupCheck(contentOf(askerType, of), text(group))),
  ),
  overload(
    "authorizer_serviceaccount",
    `${a}.Authorizer.serviceAccount(string, string): ${a}.Authorizer`,
    ([of, namespace, name]) => serviceAccount(contentOf(askerType, of), text(namespace), text(name)),
  ),
  overload("groupcheck_resource", `${a}.GroupCheck.resource(string): ${a}.ResourceCheck`, ([of, named]) => {
    const { asker, group } = contentOf(groupType, of);
    const place = { subresource: "", namespace: "", name: "" };
    return changed(
      new ResourceCheck(asker, { kind: "resource", group, resource: filled(text(named), "resource"), ...place }),
    );
  }),
  overload("resourcecheck_subresource", `${a}.ResourceCheck.subresource(string): ${a}.ResourceCheck`, ([of, value]) =>
    changed(resource(of).with({ subresource: text(value) })),
  ),
  overload("resourcecheck_namespace", `${a}.ResourceCheck.namespace(string): ${a}.ResourceCheck`, ([of, value]) =>
    changed(resource(of).with({ namespace: text(value) })),
  ),
  overload("resourcecheck_name", `${a}.ResourceCheck.name(string): ${a}.ResourceCheck`, ([of, value]) =>
    changed(resource(of).with({ name: text(value) })),
  ),
  overload("authorizer_fieldselector", `${a}.ResourceCheck.fieldSelector(string): ${a}.ResourceCheck`, ([of, value]) =>
    changed(resource(of).with({ fieldSelector: text(value) })),
  ),
  overload("authorizer_labelselector", `${a}.ResourceCheck.labelSelector(string): ${a}.ResourceCheck`, ([of, value]) =>
    changed(resource(of).with({ labelSelector: text(value) })),
  ),
  overload("pathcheck_check", `${a}.PathCheck.check(string): ${a}.Decision`, ([of, verb]) => {
    const { asker, path } = contentOf(pathType, of);
    const answered = asker.authorizer.check({ kind: "path", path, verb: text(verb) }, asker.serviceAccount);
    return new Opaque(decisionType, new Decision(answered));
  }),
  overload("resourcecheck_check", `${a}.ResourceCheck.check(string): ${a}.Decision`, ([of, verb]) =>
    askedOf(resource(of), text(verb)),
  ),
  overload("decision_allowed", `${a}.Decision.allowed(): bool`, ([of]) => answer(of).allowed),
  overload("decision_reason", `${a}.Decision.reason(): string`, ([of]) => answer(of).reason),
  overload("decision_errored", `${a}.Decision.errored(): bool`, ([of]) => answer(of).error !== ""),
  overload("decision_error", `${a}.Decision.error(): string`, ([of]) => answer(of).error),
];
