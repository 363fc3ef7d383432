import { apiVersionOf, messageOf } from "@skiff/api";
import type { ObjectStorage } from "../../storage/object-storage.ts";
import type { AlsoServed } from "../negotiate.ts";

const served: AlsoServed = { protobuf: true };
const notServed: AlsoServed = { protobuf: false };

/** Objects of built-in kinds can be had in protobuf, custom resources cannot. */
export function alsoServed({ resource, schema }: Pick<ObjectStorage, "resource" | "schema">): AlsoServed {
  // A custom resource's schema is no definition; its group may still look like one of Kubernetes' own.
  const isBuiltIn = schema.definition !== "" && messageOf(apiVersionOf(resource), resource.kind) === schema.definition;
  return isBuiltIn ? served : notServed;
}
