import { type CelType, type ObjectType, types } from "../types/cel-type.ts";

const name = (type: string, field: string): ObjectType =>
  types.object(`kubernetes.${type}`, { group: types.string, version: types.string, [field]: types.string });

const kindType = name("GroupVersionKind", "kind");
const resourceType = name("GroupVersionResource", "resource");

/** The variable `request`. */
export const requestType = types.object("kubernetes.AdmissionRequest", {
  kind: kindType,
  resource: resourceType,
  subResource: types.string,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: types.string,
  name: types.string,
  namespace: types.string,
  operation: types.string,
  userInfo: types.object("kubernetes.UserInfo", {
    username: types.string,
    uid: types.string,
    groups: types.list(types.string),
    extra: types.map(types.string, types.list(types.string)),
  }),
  dryRun: types.bool,
  options: types.dyn,
});

/** The variable `namespaceObject`. */
export const namespaceType = types.object("kubernetes.Namespace", {
  metadata: types.object("kubernetes.NamespaceMetadata", {
    name: types.string,
    generateName: types.string,
    namespace: types.string,
    labels: types.map(types.string, types.string),
    annotations: types.map(types.string, types.string),
    UID: types.string,
    creationTimestamp: types.timestamp,
    deletionGracePeriodSeconds: types.int,
    deletionTimestamp: types.timestamp,
    generation: types.int,
    resourceVersion: types.string,
    finalizers: types.list(types.string),
  }),
  spec: types.object("kubernetes.NamespaceSpec", { finalizers: types.list(types.string) }),
  status: types.object("kubernetes.NamespaceStatus", { phase: types.string }),
});

/** What an expression may use beside what all may. */
export interface ExpressionScope {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** Types of the policy's variables that come before the expression; `undefined` where it may use none. */
  readonly variables: Readonly<Record<string, CelType>> | undefined;
  /** The types of `object` and `oldObject`, and of `params`, where they are known: for type checking. */
  readonly objectType?: CelType;
  readonly paramsType?: CelType;
}

/** All variables of an expression, with their types. */
export function variableTypes(scope: ExpressionScope): Readonly<Record<string, CelType>> {
  const object = scope.objectType ?? types.dyn;
  const authorization = "kubernetes.authorization";
  return {
    object,
    oldObject: object,
    request: requestType,
    namespaceObject: namespaceType,
    ...(scope.variables === undefined ? {} : { variables: types.object("kubernetes.variables", scope.variables) }),
    ...(scope.params ? { params: scope.paramsType ?? types.dyn } : {}),
    ...(scope.authorizer
      ? {
          authorizer: types.opaque(`${authorization}.Authorizer`),
          "authorizer.requestResource": types.opaque(`${authorization}.ResourceCheck`),
        }
      : {}),
  };
}

const jsonPatchType = types.object("JSONPatch", {
  op: types.string,
  path: types.string,
  from: types.string,
  value: types.dyn,
});

/** `Object`, `Object.spec`, …: which fields there are is decided when the configuration is applied. */
const applyType = (typeName: string): ObjectType => ({
  kind: "object",
  name: typeName,
  field: (property) => ({ property, type: types.dyn }),
});

/** The types that mutations can make. */
export function mutationType(typeName: string): ObjectType | undefined {
  if (typeName === "JSONPatch") return jsonPatchType;
  return typeName === "Object" || typeName.startsWith("Object.") ? applyType(typeName) : undefined;
}

/** What mutations must give, by their patch type. */
export const applyResult: CelType = applyType("Object");
export const jsonPatchResult: CelType = types.list(jsonPatchType);
