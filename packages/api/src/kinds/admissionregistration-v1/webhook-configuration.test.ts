import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import type { MutatingWebhook } from "../../generated/types/admissionregistration-v1.ts";
import { MutatingWebhookConfigurations } from "./mutating-webhook-configuration.ts";

const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const url = (text: string) => ({ clientConfig: { url: text } });
const service = (more: object) => ({ clientConfig: { service: { name: "s", namespace: "n", ...more } } });
const rules = (more: object) => ({ rules: [{ ...rule, ...more }] });
const form = "; desired format: https://host[/path]";

const cases: readonly [Partial<MutatingWebhook>, readonly string[]][] = [
  [{}, []],
  [{ name: "" }, ["name: Required value"]],
  [{ name: "a.b" }, ['name: Invalid value: "a.b": should be a domain with at least three segments separated by dots']],
  [{ failurePolicy: "Maybe" }, ['failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"']],
  [{ matchPolicy: "x" }, ['matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"']],
  [{ reinvocationPolicy: "x" }, ['reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"']],
  [{ sideEffects: "Some" }, ['sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"']],
  [{ timeoutSeconds: 31 }, ["timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"]],
  [{ admissionReviewVersions: [] }, ["admissionReviewVersions: Required value: must specify one of v1, v1beta1"]],
  [
    { admissionReviewVersions: ["v2", "v2"] },
    [
      'admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
      'admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
    ],
  ],
  [{ clientConfig: {} }, ["clientConfig: Required value: exactly one of url or service is required"]],
  [url("https://host/path"), []],
  [url("http://host"), [`clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme${form}`]],
  [url("https://"), [`clientConfig.url: Invalid value: "": host must be specified${form}`]],
  [
    url("https://u:p@host/?q=1#f"),
    [
      'clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL',
      'clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
      'clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
    ],
  ],
  [
    service({ name: "", port: 0 }),
    [
      "clientConfig.service.name: Required value: service name is required",
      "clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
    ],
  ],
  [service({ path: "/a/b/" }), []],
  [
    service({ path: "a//b" }),
    [
      `clientConfig.service.path: Invalid value: "a//b": must start with a '/'`,
      `clientConfig.service.path: Invalid value: "a//b": segment[0] may not be empty`,
      `clientConfig.service.path: Invalid value: "a//b": segment[1] may not be empty`,
    ],
  ],
  [
    rules({ operations: ["*", "CREATE"] }),
    [`rules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`],
  ],
  [
    rules({ operations: ["GET"] }),
    [
      'rules[0].operations[0]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ],
  ],
  [
    rules({ apiGroups: [], apiVersions: [""], resources: [] }),
    [
      "rules[0].apiGroups: Required value",
      "rules[0].apiVersions[0]: Required value",
      "rules[0].resources: Required value",
    ],
  ],
  [
    rules({ resources: ["*", "pods"] }),
    [
      `rules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
    ],
  ],
  [
    rules({ resources: ["pods/*", "pods/exec"] }),
    [`rules[0].resources[1]: Invalid value: "pods/exec": if 'pods/*' is present, must not specify pods/exec`],
  ],
  [
    rules({ resources: ["*/*", "pods"] }),
    [`rules[0].resources: Invalid value: ["*/*","pods"]: if '*/*' is present, must not specify other resources`],
  ],
  [rules({ scope: "x" }), ['rules[0].scope: Unsupported value: "x": supported values: "*", "Cluster", "Namespaced"']],
];

test("webhooks are validated in Kubernetes' words", () => {
  for (const [more, expected] of cases) {
    const webhook = {
      name: "a.b.c",
      clientConfig: { url: "https://host" },
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      rules: [rule],
      ...more,
    };
    const object = {
      metadata: { name: "x", uid: "", resourceVersion: "", creationTimestamp: "" },
      webhooks: [webhook],
    };
    MutatingWebhookConfigurations.defaults(object);
    assert.deepEqual(
      MutatingWebhookConfigurations.validate(object).map(fieldErrorText),
      expected.map((text) => `webhooks[0].${text}`),
    );
  }
});
