/** Requests that Kubernetes refuses, each with the answer of a real API server of version 1.36. */
import type { Call } from "./api-caller.ts";

/** A call with its refusal: status code, reason, and the message or its beginning. */
export type Refusal = readonly [what: string, call: Call, code: number, reason: string | undefined, message: string];

const json = { "content-type": "application/json" };
const yaml = { "content-type": "application/yaml" };
const merge = { "content-type": "application/merge-patch+json" };
const strategic = { "content-type": "application/strategic-merge-patch+json" };
const jsonPatch = { "content-type": "application/json-patch+json" };
const apply = { "content-type": "application/apply-patch+yaml" };

export const configMaps = "/api/v1/namespaces/default/configmaps";
export const deployments = "/apis/apps/v1/namespaces/default/deployments";
export const pods = "/api/v1/namespaces/default/pods";
const base = `${configMaps}/base`;

export const configMap = (name: string, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...more,
});

const withMetadata = (metadata: object): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata });
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const token = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const post = (body: unknown, headers: Record<string, string> = json): Call => ({ path: configMaps, headers, body });
const put = (name: string, body: object): Call => ({
  method: "PUT",
  path: `${configMaps}/${name}`,
  headers: json,
  body,
});
const patch = (headers: Record<string, string>, body: unknown, path = base): Call => ({
  method: "PATCH",
  path,
  headers,
  body,
});
const remove = (query: string, body?: unknown): Call => ({
  method: "DELETE",
  path: `${base}${query}`,
  headers: body === undefined ? {} : json,
  body,
});

const modified = 'Operation cannot be fulfilled on configmaps "base": the object has been modified; please apply';
const notAllowed = "the server does not allow this method on the requested resource";
const noSuchResource = "the server could not find the requested resource";
const unprocessable = "the server rejected our request due to an error in our request";

export const bodies: readonly Refusal[] = [
  [
    "JSON that breaks off",
    post('{"kind":'),
    400,
    "BadRequest",
    `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({"kind":)`,
  ],
  ["no JSON", post("hello"), 400, "BadRequest", "the object provided is unrecognized (must be of type ConfigMap): "],
  ["nothing", post(""), 400, "BadRequest", "the object provided is unrecognized (must be of type ConfigMap): "],
  [
    "null",
    post("null"),
    422,
    "Invalid",
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName',
  ],
  ["an array", post("[]"), 400, "BadRequest", "the object provided is unrecognized (must be of type ConfigMap): "],
  ["YAML that is none", post("a: b: c\n - d", yaml), 400, "BadRequest", "the object provided is unrecognized"],
  [
    "another kind",
    post({ ...configMap("x"), kind: "Foo" }),
    400,
    "BadRequest",
    'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered',
  ],
  [
    "a number for a text",
    post(configMap("x", { data: { a: 1 } })),
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  ],
  [
    "a text for a number",
    { path: deployments, headers: json, body: { metadata: { name: "x" }, spec: { replicas: "three" } } },
    400,
    "BadRequest",
    'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    "a text for metadata",
    post({ metadata: "x" }),
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
  ],
  [
    "base64 that is none",
    post(configMap("x", { binaryData: { a: "%%%" } })),
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: illegal base64 data at input byte 0',
  ],
  [
    "unknown fields, Strict",
    { ...post(configMap("x", { foo: 1 })), path: `${configMaps}?fieldValidation=Strict` },
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"',
  ],
  [
    "repeated fields, Strict",
    {
      ...post('{"metadata":{"name":"x"},"data":{"a":"1"},"data":{"b":"2"}}'),
      path: `${configMaps}?fieldValidation=Strict`,
    },
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data"',
  ],
  [
    "an unknown fieldValidation",
    { ...post(configMap("x")), path: `${configMaps}?fieldValidation=Maybe` },
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "Ignore", "Strict", "Warn"',
  ],
  [
    "an unknown dryRun",
    { ...post(configMap("x")), path: `${configMaps}?dryRun=Some` },
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ],
  [
    "an unknown dryRun of a subresource",
    { ...post({ metadata: { name: "pod" } }), path: `${pods}/pod/eviction?dryRun=Some` },
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value',
  ],
  [
    "a field manager of 200 characters",
    { ...post(configMap("x")), path: `${configMaps}?fieldManager=${"a".repeat(200)}` },
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  ],
  [
    "depth",
    post(nested(20_000)),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): exceeded max depth",
  ],
  [
    "depth in YAML",
    post("[".repeat(20_000), yaml),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): ",
  ],
  ["depth in a subresource", { ...post(nested(20_000)), path: `${pods}/pod/eviction` }, 400, "BadRequest", ""],
  [
    "YAML that multiplies",
    post(
      `${[..."bcdefgh"].reduce((text, letter, at) => `${text}${letter}: &${letter} [${Array(9).fill(`*${"abcdefgh"[at]}`)}]\n`, "a: &a [x,x,x,x,x,x,x,x,x]\n")}`,
      yaml,
    ),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): ",
  ],
  [
    "more than 3 MiB",
    post(configMap("big", { data: { a: "x".repeat(3 * 1024 * 1024) } })),
    413,
    "RequestEntityTooLarge",
    "Request entity too large: limit is 3145728",
  ],
  [
    "a config map of more than 1 MiB",
    post(configMap("big", { data: { a: "x".repeat(1024 * 1024 + 1) } })),
    422,
    "Invalid",
    'ConfigMap "big" is invalid: : Too long: may not be more than 1048576 bytes',
  ],
  [
    "plain text",
    post("x", { "content-type": "text/plain" }),
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ],
  [
    "a type that is none",
    post(configMap("x"), { "content-type": ";;;" }),
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format",
  ],
  [
    "protobuf that is none",
    post("k8s\0\xff\xff\xff", { "content-type": "application/vnd.kubernetes.protobuf" }),
    400,
    "BadRequest",
    "",
  ],
];

export const objects: readonly Refusal[] = [
  [
    "an invalid name",
    post(configMap("UPPER_case")),
    422,
    "Invalid",
    'ConfigMap "UPPER_case" is invalid: metadata.name: Invalid value: "UPPER_case": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters',
  ],
  [
    "no name",
    post(withMetadata({})),
    422,
    "Invalid",
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ],
  ["a long name", post(configMap("a".repeat(254))), 422, "Invalid", 'ConfigMap "aaa'],
  [
    "an invalid label",
    post(withMetadata({ name: "x", labels: { k: "v v" } })),
    422,
    "Invalid",
    'ConfigMap "x" is invalid: metadata.labels: Invalid value: "v v": a valid label must be an empty string or consist of',
  ],
  [
    "an invalid key",
    post(configMap("x", { data: { "a/b": "1" } })),
    422,
    "Invalid",
    'ConfigMap "x" is invalid: data[a/b]: Invalid value: "a/b": a valid config key must consist of',
  ],
  [
    "another namespace",
    post(withMetadata({ name: "x", namespace: "other" })),
    400,
    "BadRequest",
    "the namespace of the provided object does not match the namespace sent on the request",
  ],
  [
    "a missing namespace",
    { ...post(configMap("x")), path: "/api/v1/namespaces/nosuch/configmaps" },
    404,
    "NotFound",
    'namespaces "nosuch" not found',
  ],
  ["what exists", post(configMap("base")), 409, "AlreadyExists", 'configmaps "base" already exists'],
  [
    "a resourceVersion on creation",
    post(withMetadata({ name: "x", resourceVersion: "5" })),
    500,
    undefined,
    "resourceVersion should not be set on objects to be created",
  ],
  ["a missing object", { path: `${configMaps}/nosuch` }, 404, "NotFound", 'configmaps "nosuch" not found'],
  [
    "an update of a missing object",
    put("nosuch", configMap("nosuch")),
    404,
    "NotFound",
    'configmaps "nosuch" not found',
  ],
  [
    "an update by another name",
    put("base", configMap("other")),
    400,
    "BadRequest",
    "the name of the object (other) does not match the name on the URL (base)",
  ],
  [
    "an update of another namespace",
    put("base", withMetadata({ name: "base", namespace: "x" })),
    400,
    "BadRequest",
    "the namespace of the object (x) does not match the namespace on the request (default)",
  ],
  [
    "a stale resourceVersion",
    put("base", withMetadata({ name: "base", resourceVersion: "1" })),
    409,
    "Conflict",
    modified,
  ],
  [
    "a stale resourceVersion in a patch",
    patch(merge, { metadata: { resourceVersion: "1" } }),
    409,
    "Conflict",
    modified,
  ],
  [
    "another uid",
    put("base", withMetadata({ name: "base", uid: "abc" })),
    409,
    "Conflict",
    'Operation cannot be fulfilled on configmaps "base": Precondition failed: UID in precondition: abc, UID in object meta: ',
  ],
  [
    "an immutable selector",
    patch(merge, { spec: { selector: { matchLabels: { x: "y" } } } }, `${deployments}/dep`),
    422,
    "Invalid",
    'Deployment.apps "dep" is invalid: ',
  ],
  [
    "an immutable pod",
    patch(merge, { spec: { hostNetwork: true } }, `${pods}/pod`),
    422,
    "Invalid",
    'Pod "pod" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
  ],
  [
    "an immutable name",
    patch(merge, { metadata: { name: "zz" } }),
    400,
    "BadRequest",
    "the name of the object (zz) does not match the name on the URL (base)",
  ],
  [
    "a precondition on the uid",
    remove("", { preconditions: { uid: "wrong" } }),
    409,
    "Conflict",
    'Operation cannot be fulfilled on configmaps "base": the UID in the precondition (wrong) does not match the UID in record (',
  ],
  [
    "a precondition on the resourceVersion",
    remove("", { preconditions: { resourceVersion: "1" } }),
    409,
    "Conflict",
    'Operation cannot be fulfilled on configmaps "base": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (',
  ],
  [
    "an unknown propagation",
    remove("?propagationPolicy=Foo"),
    422,
    "Invalid",
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo"',
  ],
  [
    "a grace period that is no number",
    remove("?gracePeriodSeconds=soon&dryRun=All"),
    400,
    "BadRequest",
    'strconv.ParseInt: parsing "soon": invalid syntax',
  ],
  ["options that are none", remove("", "{"), 400, "BadRequest", "the object provided is unrecognized"],
  [
    "a deletion that is forbidden",
    { method: "DELETE", path: "/api/v1/namespaces/default" },
    403,
    "Forbidden",
    'namespaces "default" is forbidden: this namespace may not be deleted',
  ],
];

export const patches: readonly Refusal[] = [
  [
    "no patch type",
    patch({}, "{}"),
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
  ],
  [
    "a merge patch that breaks off",
    patch(merge, '{"a":'),
    400,
    "BadRequest",
    "error decoding patch: unexpected end of JSON input",
  ],
  [
    "a merge patch of the wrong type",
    patch(merge, { data: "x" }),
    422,
    "Invalid",
    ' "" is invalid: patch: Invalid value: ',
  ],
  [
    "a merge patch that is an array",
    patch(merge, "[]"),
    400,
    "BadRequest",
    "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  [
    "a merge patch of great depth",
    patch(merge, nested(20_000)),
    400,
    "BadRequest",
    "error decoding patch: exceeded max depth",
  ],
  ["a strategic patch that breaks off", patch(strategic, "{"), 400, "BadRequest", "unexpected end of JSON input"],
  [
    "a strategic patch without merge key",
    patch(strategic, { spec: { template: { spec: { containers: [{ image: "c" }] } } } }, `${deployments}/dep`),
    500,
    undefined,
    "map: map[image:c] does not contain declared merge key: name",
  ],
  [
    "a JSON patch that is an object",
    patch(jsonPatch, "{}"),
    400,
    "BadRequest",
    "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  ],
  [
    "a JSON patch with an unknown operation",
    patch(jsonPatch, [{ op: "zap", path: "/data" }]),
    422,
    "Invalid",
    unprocessable,
  ],
  ["a JSON patch of nothing", patch(jsonPatch, [{ op: "remove", path: "/nosuch" }]), 422, "Invalid", unprocessable],
  [
    "a JSON patch whose test fails",
    patch(jsonPatch, [{ op: "test", path: "/data/a", value: "2" }]),
    422,
    "Invalid",
    unprocessable,
  ],
  [
    "a JSON patch into a prototype",
    patch(jsonPatch, '[{"op":"add","path":"/__proto__/polluted","value":"x"}]'),
    422,
    "Invalid",
    unprocessable,
  ],
  [
    "a JSON patch of 10,001 operations",
    patch(jsonPatch, Array(10_001).fill({ op: "test", path: "/data/a", value: "1" })),
    413,
    "RequestEntityTooLarge",
    "The allowed maximum operations in a JSON patch is 10000, got 10001",
  ],
  [
    "apply without manager",
    patch(apply, configMap("base")),
    422,
    "Invalid",
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ],
  [
    "apply of no kind",
    patch(apply, "{}", `${base}?fieldManager=m`),
    400,
    "BadRequest",
    "invalid object type: /, Kind=",
  ],
  [
    "apply of another kind",
    patch(apply, { ...configMap("base"), kind: "Secret" }, `${base}?fieldManager=m`),
    400,
    "BadRequest",
    "invalid object type: /v1, Kind=Secret",
  ],
  [
    "apply with managed fields",
    patch(apply, withMetadata({ name: "base", managedFields: [{ manager: "x" }] }), `${base}?fieldManager=m`),
    400,
    "BadRequest",
    "metadata.managedFields must be nil",
  ],
  [
    "apply against another's fields",
    patch(apply, configMap("base", { data: { a: "9" } }), `${base}?fieldManager=m`),
    409,
    "Conflict",
    "Apply failed with 1 conflict: conflict with ",
  ],
  [
    "force of a merge patch",
    patch(merge, "{}", `${base}?force=true`),
    422,
    "Invalid",
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
];

const listing = (query: string): Call => ({ path: `${configMaps}?${query}` });

export const reads: readonly Refusal[] = [
  [
    "a label selector that breaks off",
    listing(`labelSelector=${encodeURIComponent("a in (")}`),
    400,
    "BadRequest",
    "unable to parse requirement: found '', expected: ',' or ')'",
  ],
  [
    "a field selector without operator",
    listing("fieldSelector=foo"),
    400,
    "BadRequest",
    "invalid selector: 'foo'; can't understand 'foo'",
  ],
  [
    "an unknown field",
    { path: "/api/v1/pods?fieldSelector=spec.x%3D1" },
    400,
    "BadRequest",
    "field label not supported: spec.x",
  ],
  [
    "a prototype's field",
    listing("fieldSelector=__proto__%3D1"),
    400,
    "BadRequest",
    '"__proto__" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    "a garbled token",
    listing("limit=1&continue=garbage"),
    400,
    "BadRequest",
    "invalid continue token: continue key is not valid: ",
  ],
  [
    "a token without revision",
    listing(`continue=${token({ v: "meta.k8s.io/v1", rv: 0, start: "a" })}`),
    400,
    "BadRequest",
    "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
  ],
  [
    "a token that climbs",
    listing(`continue=${token({ v: "meta.k8s.io/v1", rv: 5, start: "../x" })}`),
    400,
    "BadRequest",
    "invalid continue token: continue key is not valid: ",
  ],
  [
    "a limit that is no number",
    listing("limit=abc"),
    400,
    "BadRequest",
    'strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  [
    "a limit beyond all numbers",
    listing(`limit=${"9".repeat(40)}`),
    400,
    "BadRequest",
    `strconv.ParseInt: parsing "${"9".repeat(40)}": value out of range`,
  ],
  [
    "a revision that is none",
    listing("resourceVersion=abc"),
    400,
    "BadRequest",
    'invalid resource version "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [
    "a revision to come",
    listing("resourceVersion=99999999"),
    504,
    "Timeout",
    "Timeout: Too large resource version: 99999999, current: ",
  ],
  [
    "a revision to come, of one object",
    { path: `${base}?resourceVersion=99999999` },
    504,
    "Timeout",
    "Timeout: Too large resource version: 99999999, current: ",
  ],
  [
    "a match without revision",
    listing("resourceVersionMatch=Exact"),
    422,
    "Invalid",
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    "an unknown match",
    listing("resourceVersion=5&resourceVersionMatch=Foo"),
    422,
    "Invalid",
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
  ],
  [
    "a watch from a revision that is none",
    listing("watch=1&resourceVersion=abc"),
    400,
    "BadRequest",
    'invalid resource version "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [
    "initial events without match",
    listing("watch=1&sendInitialEvents=true"),
    422,
    "Invalid",
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  ],
  [
    "a form that there is not",
    { path: configMaps, headers: { accept: "text/html" } },
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  ],
  [
    "a table of another version",
    { path: configMaps, headers: { accept: "application/json;as=Table;v=v9;g=meta.k8s.io" } },
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  ],
];

export const places: readonly Refusal[] = [
  ["an unknown path", { path: "/foo" }, 404, undefined, "404 page not found\n"],
  ["an unknown version", { path: "/api/v7/pods" }, 404, "NotFound", noSuchResource],
  ["an unknown resource", { path: "/api/v1/foos" }, 404, "NotFound", noSuchResource],
  ["a prototype for a resource", { path: "/api/v1/namespaces/__proto__/constructor" }, 404, "NotFound", noSuchResource],
  ["an unknown subresource", { path: `${base}/foo` }, 404, "NotFound", noSuchResource],
  ["a node in a namespace", { path: "/api/v1/namespaces/default/nodes" }, 404, "NotFound", noSuchResource],
  ["a name of bytes that are no text", { path: `${configMaps}/%ff%fe` }, 404, "NotFound", "configmaps "],
  ["a path with half a byte", { path: `${configMaps}/%zz` }, 400, undefined, "400 Bad Request"],
  ["POST to an object", { ...post(configMap("base")), path: base }, 405, "MethodNotAllowed", notAllowed],
  ["PUT of a collection", { ...put("", configMap("base")), path: configMaps }, 405, "MethodNotAllowed", notAllowed],
  ["PATCH of a collection", patch(merge, "{}", configMaps), 405, "MethodNotAllowed", notAllowed],
  [
    "creation in no namespace",
    { ...post(configMap("x")), path: "/api/v1/configmaps" },
    405,
    "MethodNotAllowed",
    notAllowed,
  ],
  ["an unknown method", { method: "PROPFIND", path: configMaps }, 405, "MethodNotAllowed", notAllowed],
  ["OPTIONS", { method: "OPTIONS", path: configMaps }, 405, "MethodNotAllowed", notAllowed],
  ["DELETE of the version", { method: "DELETE", path: "/version" }, 405, "MethodNotAllowed", notAllowed],
  ["POST to discovery", { method: "POST", path: "/api" }, 405, "MethodNotAllowed", notAllowed],
  ["GET of a binding", { path: `${pods}/pod/binding` }, 405, "MethodNotAllowed", notAllowed],
  ["the log of no pod", { path: `${pods}/nosuch/log` }, 404, "NotFound", 'pods "nosuch" not found'],
  [
    "the log of no container",
    { path: `${pods}/pod/log?container=zz` },
    400,
    "BadRequest",
    "container zz is not valid for pod pod",
  ],
  [
    "a log's tail that is no number",
    { path: `${pods}/pod/log?tailLines=abc` },
    400,
    "BadRequest",
    'strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  [
    "a log's tail below nothing",
    { path: `${pods}/pod/log?tailLines=-1` },
    422,
    "Invalid",
    'PodLogOptions "pod" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    "exec in no container",
    { path: `${pods}/pod/exec?command=id&stdout=1&container=zz` },
    400,
    "BadRequest",
    "container zz is not valid for pod pod",
  ],
  [
    "exec without upgrade",
    { path: `${pods}/pod/exec?command=id&stdout=1` },
    400,
    "BadRequest",
    "Upgrade request required",
  ],
  [
    "a proxy of no Service",
    { path: "/api/v1/namespaces/default/services/nosuch/proxy/" },
    404,
    "NotFound",
    'services "nosuch" not found',
  ],
  ["a proxy of no node", { path: "/api/v1/nodes/nosuch/proxy/" }, 404, "NotFound", 'nodes "nosuch" not found'],
];
