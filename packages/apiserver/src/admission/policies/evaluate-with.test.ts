import assert from "node:assert/strict";
import { test } from "node:test";
import { Pods } from "@skiff/api";
import { compileExpression, types } from "@skiff/cel";
import type { AccessAuthorizer } from "../../authorization/access.ts";
import { admissionRequest } from "../../fixtures/admission-request.ts";
import { evaluateWith } from "./bindings-of-request.ts";
import { Evaluation, type Outcome } from "./evaluation.ts";

const noVariables = { expressions: [], types: undefined };

const run = (source: string, authorizer: AccessAuthorizer): Promise<Outcome> => {
  const request = admissionRequest();
  const match = { resource: Pods, kind: Pods };
  const view = { request, match, object: undefined, oldObject: undefined, namespace: undefined, authorizer };
  const scope = { params: false, authorizer: true, variables: undefined, results: [types.dyn] };
  const expression = compileExpression(source, scope);
  return evaluateWith(view, undefined, (values) => new Evaluation(values, noVariables).run(expression));
};

test("an authorizer that has to ask somebody else is waited for, once a question", async () => {
  const asked: string[] = [];
  const authorizer: AccessAuthorizer = {
    async authorize({ user, request }) {
      asked.push(`${user.name} ${request.verb}`);
      if (request.verb === "fail") throw new Error("nobody there");
      return request.verb === "get" ? { kind: "allowed", reason: "so" } : { kind: "noOpinion", reason: "" };
    },
  };
  const check = (verb: string) => `authorizer.path('/x').check('${verb}')`;
  assert.deepEqual(await run(`${check("get")}.allowed() && !${check("put")}.allowed()`, authorizer), {
    kind: "value",
    value: true,
  });
  assert.deepEqual(asked, ["alice get", "alice put"]);
  assert.deepEqual(await run(`${check("get")}.reason()`, authorizer), { kind: "value", value: "so" });
  assert.deepEqual(await run(`${check("fail")}.errored() ? ${check("fail")}.error() : ''`, authorizer), {
    kind: "value",
    value: "nobody there",
  });
});

test("questions about resources carry all that was said, and who asks", async () => {
  const seen: unknown[] = [];
  const authorizer: AccessAuthorizer = {
    authorize(access) {
      seen.push({ user: access.user, request: access.request });
      return { kind: "allowed", reason: "" };
    },
  };
  const resource = "group('apps').resource('deployments').subresource('scale').namespace('n').name('web')";
  await run(`authorizer.serviceAccount('n', 'robot').${resource}.check('update').allowed()`, authorizer);
  assert.deepEqual(seen, [
    {
      user: {
        name: "system:serviceaccount:n:robot",
        groups: ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"],
      },
      request: {
        kind: "resource",
        verb: "update",
        group: "apps",
        version: "*",
        plural: "deployments",
        subresource: "scale",
        namespace: "n",
        name: "web",
      },
    },
  ]);
});

test("two checks fit into an expression's budget, three do not", async () => {
  const authorizer: AccessAuthorizer = { authorize: () => ({ kind: "allowed", reason: "" }) };
  const checks = (count: number) =>
    Array.from({ length: count }, (_, index) => `authorizer.path('/${index}').check('get').allowed()`).join(" && ");
  assert.equal((await run(checks(2), authorizer)).kind, "value");
  const third = await run(checks(3), authorizer);
  assert(third.kind === "error");
  assert.match(third.message, /resulted in error: operation cancelled: actual cost limit exceeded$/);
});
