/** Kubernetes' expression language: compiles, checks, estimates and evaluates. See `compile`. */
export { compile } from "./compile.ts";
export { EvaluationError } from "./evaluate/evaluation-error.ts";
export {
  type AccessAnswer,
  type AccessQuestion,
  authorizerValue,
  type CelAuthorizer,
  resourceCheckValue,
} from "./library/kubernetes/authorizer.ts";
export * from "./policies/compiled-expression.ts";
export { compileDeviceSelector } from "./policies/device-selector.ts";
export { type DeviceFacts, deviceValue } from "./policies/device-value.ts";
export * from "./policies/expression-types.ts";
export * from "./program.ts";
export { type CelType, type ListType, type ObjectField, type ObjectType, types, typeText } from "./types/cel-type.ts";
export { escapedName } from "./types/property-names.ts";
export { type JsonSchemaPlace, typeOfJsonSchema, typeOfSchema } from "./types/schema-types.ts";
export { leastJsonBytes, mostItems } from "./types/sizes.ts";
export type { CelList, CelMap, CelObject, CelOptional, CelValue, OpaqueValue } from "./values/cel-value.ts";
export { isList, isObject, none, some } from "./values/cel-value.ts";
export { listOf, mapOf } from "./values/collections.ts";
export { celFromJson, jsonFromCel, NotJson } from "./values/json.ts";
export { lazyObject } from "./values/lazy-object.ts";
