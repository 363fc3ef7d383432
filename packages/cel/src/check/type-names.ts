import { type CelType, types } from "../types/cel-type.ts";

const named: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ["bool", types.bool],
  ["int", types.int],
  ["uint", types.uint],
  ["double", types.double],
  ["string", types.string],
  ["bytes", types.bytes],
  ["null_type", types.null],
  ["list", types.list(types.dyn)],
  ["map", types.map(types.dyn, types.dyn)],
  ["type", types.type(types.dyn)],
  ["optional_type", types.optional(types.dyn)],
  ["google.protobuf.Timestamp", types.timestamp],
  ["google.protobuf.Duration", types.duration],
  ["kubernetes.URL", types.opaque("kubernetes.URL")],
  ["kubernetes.Quantity", types.opaque("kubernetes.Quantity")],
  ["kubernetes.Semver", types.opaque("kubernetes.Semver")],
  ["net.IP", types.opaque("net.IP")],
  ["net.CIDR", types.opaque("net.CIDR")],
]);

/** A type that expressions can name, as in `type(x) == int`. */
export const typeNamed = (name: string): CelType | undefined => named.get(name);
