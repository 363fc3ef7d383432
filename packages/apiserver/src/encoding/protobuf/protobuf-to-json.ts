import { decodeAnyProtobuf, protobufMediaType } from "@skiff/api";

/** The media type of Kubernetes' protobuf. */
export const protobufType = protobufMediaType;

/**
 * Reads a body in Kubernetes' protobuf and tells it in JSON, so that all that follows need not know. No body stays none. Throws
 * 400 for what cannot be read.
 */
export const protobufToJson = (body: Buffer): string =>
  body.length === 0 ? "" : JSON.stringify(decodeAnyProtobuf(body));
