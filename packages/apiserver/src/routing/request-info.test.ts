import assert from "node:assert/strict";
import { test } from "node:test";
import { attributesOf, parseRequest } from "./request-info.ts";

test("a request's line tells what it is about", () => {
  const cases: readonly (readonly [line: string, expected: string])[] = [
    ["GET /api/v1/pods", "list /v1 pods"],
    ["GET /api/v1/pods?watch=true", "watch /v1 pods"],
    ["GET /api/v1/pods?watch=false", "list /v1 pods"],
    ["GET /api/v1/watch/pods", "watch /v1 pods"],
    ["GET /api/v1/watch/namespaces/a/pods/x", "watch /v1 a pods x"],
    ["GET /api/v1/namespaces", "list /v1 namespaces"],
    ["GET /api/v1/namespaces/a", "get /v1 namespaces a"],
    ["PUT /api/v1/namespaces/a/status", "update /v1 namespaces a /status"],
    ["PUT /api/v1/namespaces/a/finalize", "update /v1 namespaces a /finalize"],
    ["GET /api/v1/namespaces/a/pods/x", "get /v1 a pods x"],
    ["HEAD /api/v1/namespaces/a/pods/x", "get /v1 a pods x"],
    ["GET /api/v1/namespaces/a/pods/x?watch=true", "get /v1 a pods x"],
    ["POST /api/v1/namespaces/a/pods/x/exec?command=id", "create /v1 a pods x /exec"],
    ["GET /api/v1/namespaces/a/services/x:80/proxy/some/path", "get /v1 a services x:80 /proxy"],
    ["DELETE /apis/apps/v1/namespaces/a/deployments", "deletecollection apps/v1 a deployments"],
    ["DELETE /apis/apps/v1/namespaces/a/deployments/x", "delete apps/v1 a deployments x"],
    ["PATCH /apis/apps/v1/namespaces/a/deployments/x/scale", "patch apps/v1 a deployments x /scale"],
    ["GET /api/v1/pods?fieldSelector=metadata.name%3Dx", "list /v1 pods x"],
    ["GET /api/v1/pods/", "list /v1 pods"],
    ["GET /apis/apps/v1", "path get"],
    ["GET /api/v1", "path get"],
    ["GET /healthz", "path get"],
    ["POST /", "path post"],
  ];
  for (const [line, expected] of cases) {
    const [method = "", url = ""] = line.split(" ");
    const [path = "", query] = url.split("?");
    const parameters = query === undefined ? undefined : new URLSearchParams(query);
    const info = parseRequest({ method, path, query: parameters });
    const told =
      info.kind === "path"
        ? `path ${info.verb}`
        : [
            info.verb,
            `${info.group}/${info.version}`,
            info.namespace,
            info.plural,
            info.name,
            info.subresource === undefined ? undefined : `/${info.subresource}`,
          ]
            .filter((part) => part !== undefined)
            .join(" ");
    assert.equal(told, expected, line);
  }
});

test("a namespace lies in itself where it is asked who may", () => {
  const cases: readonly (readonly [line: string, namespace: string | undefined])[] = [
    ["GET /api/v1/namespaces/a", "a"],
    ["PUT /api/v1/namespaces/a/finalize", "a"],
    ["GET /api/v1/namespaces", undefined],
    ["GET /api/v1/namespaces?fieldSelector=metadata.name%3Da", undefined],
    ["GET /api/v1/nodes/a", undefined],
    ["GET /api/v1/namespaces/b/pods/a", "b"],
  ];
  for (const [line, namespace] of cases) {
    const [method = "", url = ""] = line.split(" ");
    const [path = "", query] = url.split("?");
    const info = parseRequest({ method, path, query: query === undefined ? undefined : new URLSearchParams(query) });
    const attributes = attributesOf(info);
    assert.equal(attributes.kind === "resource" ? attributes.namespace : "", namespace, line);
  }
});
