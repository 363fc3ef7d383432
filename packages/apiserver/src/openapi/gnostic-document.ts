/**
 * The OpenAPI v2 document in the protobuf encoding of gnostic (package `openapi.v2`, message `Document`). Until version 1.28
 * kubectl reads it in no other form, to validate and to compute patches, and client-go's discovery asks for it first.
 * The fields are those of https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto as far as the API server's
 * document uses them.
 */
import { isJsonObject, type JsonObject } from "@skiff/base";
import {
  each,
  entries,
  type FieldWriter,
  flag,
  type MessageShape,
  message,
  text,
  texts,
  within,
  writeFields,
} from "./gnostic-fields.ts";
import { primitive, schemaShape } from "./gnostic-schema.ts";
import { ReverseWriter } from "./reverse-writer.ts";

const expectedBytes = 1024 * 1024;

/** Encodes an OpenAPI v2 document given as JSON. What the message has no field for is left out. */
export function gnosticDocument(document: JsonObject): Buffer {
  const writer = new ReverseWriter(expectedBytes);
  writeFields(writer, documentShape, document);
  return writer.finish();
}

const about = { required: flag(1), in: text(2), description: text(3), name: text(4) };

/** `HeaderParameterSubSchema` and `PathParameterSubSchema`, which are alike. */
const placedParameter: MessageShape = { fields: { ...about, ...primitive(5) }, extensions: 22 };

/** `QueryParameterSubSchema` and `FormDataParameterSubSchema`, which are alike. */
const sentParameter: MessageShape = {
  fields: { ...about, allowEmptyValue: flag(5), ...primitive(6) },
  extensions: 23,
};

const bodyParameter: MessageShape = {
  fields: { description: text(1), name: text(2), in: text(3), required: flag(4), schema: message(5, schemaShape) },
  extensions: 6,
};

/** `Parameter` by where the parameter is. */
const parameters: Readonly<Record<string, FieldWriter>> = {
  body: message(1, bodyParameter),
  header: within(2, message(1, placedParameter)),
  formData: within(2, message(2, sentParameter)),
  query: within(2, message(3, sentParameter)),
  path: within(2, message(4, placedParameter)),
};

const reference: MessageShape = { fields: { $ref: text(1), description: text(2) } };

/** `ParametersItem`. */
const parameterOrReference: FieldWriter = (writer, value) => {
  if (!isJsonObject(value)) return;
  if (value.$ref !== undefined) message(2, reference)(writer, value);
  else if (typeof value.in === "string") {
    const parameter = parameters[value.in];
    if (parameter !== undefined) within(1, parameter)(writer, value);
  }
};

const response: MessageShape = {
  fields: {
    description: text(1),
    schema: within(2, message(1, schemaShape)),
  },
  extensions: 5,
};

const securityRequirement: FieldWriter = within(12, entries(1, within(2, texts(1))));

const operation: MessageShape = {
  fields: {
    tags: texts(1),
    summary: text(2),
    description: text(3),
    operationId: text(5),
    produces: texts(6),
    consumes: texts(7),
    parameters: each(within(8, parameterOrReference)),
    responses: within(9, entries(1, within(2, message(1, response)))),
    schemes: texts(10),
    deprecated: flag(11),
    security: each(securityRequirement),
  },
  extensions: 13,
};

const anOperation = (number: number): FieldWriter => message(number, operation);

const pathItem: MessageShape = {
  fields: {
    $ref: text(1),
    get: anOperation(2),
    put: anOperation(3),
    post: anOperation(4),
    delete: anOperation(5),
    options: anOperation(6),
    head: anOperation(7),
    patch: anOperation(8),
    parameters: each(within(9, parameterOrReference)),
  },
  extensions: 10,
};

const info: MessageShape = { fields: { title: text(1), version: text(2), description: text(3) }, extensions: 7 };

/** `ApiKeySecurity`: bearer tokens are published as that. */
const apiKey: MessageShape = {
  fields: { type: text(1), name: text(2), in: text(3), description: text(4) },
  extensions: 5,
};

const documentShape: MessageShape = {
  fields: {
    swagger: text(1),
    info: message(2, info),
    host: text(3),
    basePath: text(4),
    schemes: texts(5),
    consumes: texts(6),
    produces: texts(7),
    paths: within(8, entries(2, message(2, pathItem))),
    definitions: within(9, entries(1, message(2, schemaShape))),
    security: each(securityRequirement),
    securityDefinitions: within(13, entries(1, within(2, message(2, apiKey)))),
  },
  extensions: 16,
};
