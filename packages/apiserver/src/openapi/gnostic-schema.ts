import {
  any,
  double,
  each,
  entries,
  type FieldWriter,
  flag,
  int64,
  type MessageShape,
  message,
  text,
  texts,
  within,
} from "./gnostic-fields.ts";

/** `ExternalDocs`. */
const externalDocs: MessageShape = { fields: { description: text(1), url: text(2) }, extensions: 3 };

/** Schemas hold schemas: the shape is looked at when there is one to write. */
const aSchema =
  (number: number): FieldWriter =>
  (writer, value) =>
    message(number, schemaShape)(writer, value);

/** `AdditionalPropertiesItem` is a union: `false` is said too. */
const schemaOrBoolean: FieldWriter = (writer, value) => {
  if (typeof value === "boolean") writer.bool(2, value);
  else aSchema(1)(writer, value);
};

/** `Schema`. */
export const schemaShape: MessageShape = {
  fields: {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: any(5),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: flag(8),
    minimum: double(9),
    exclusiveMinimum: flag(10),
    maxLength: int64(11),
    minLength: int64(12),
    pattern: text(13),
    maxItems: int64(14),
    minItems: int64(15),
    uniqueItems: flag(16),
    maxProperties: int64(17),
    minProperties: int64(18),
    required: texts(19),
    enum: each(any(20)),
    additionalProperties: within(21, schemaOrBoolean),
    type: within(22, texts(1)),
    items: within(23, each(aSchema(1))),
    allOf: each(aSchema(24)),
    properties: within(25, entries(1, aSchema(2))),
    discriminator: text(26),
    readOnly: flag(27),
    externalDocs: message(29, externalDocs),
    example: any(30),
  },
  extensions: 31,
};

/** What parameters outside the body say of their values, in fields from number `first` on. */
export const primitive = (first: number): Readonly<Record<string, FieldWriter>> => ({
  type: text(first),
  format: text(first + 1),
  items: (writer, value) => message(first + 2, primitivesItems)(writer, value),
  collectionFormat: text(first + 3),
  default: any(first + 4),
  maximum: double(first + 5),
  exclusiveMaximum: flag(first + 6),
  minimum: double(first + 7),
  exclusiveMinimum: flag(first + 8),
  maxLength: int64(first + 9),
  minLength: int64(first + 10),
  pattern: text(first + 11),
  maxItems: int64(first + 12),
  minItems: int64(first + 13),
  uniqueItems: flag(first + 14),
  enum: each(any(first + 15)),
  multipleOf: double(first + 16),
});

/** `PrimitivesItems`. */
const primitivesItems: MessageShape = { fields: primitive(1), extensions: 18 };
