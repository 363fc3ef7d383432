import { apiVersionOf, messageOf } from "@skiff/api";
import type { ObjectStorage } from "../../storage/object-storage.ts";
import type { AlsoServed } from "../negotiate.ts";

const served: AlsoServed = { protobuf: true };
const notServed: AlsoServed = { protobuf: false };
const streamed: AlsoServed = { protobuf: true, stream: true };
const notStreamed: AlsoServed = { protobuf: false, stream: true };

/** What answers may be had in: objects of built-in kinds in protobuf, too, custom resources not. */
export const alsoServed = (storage: Pick<ObjectStorage, "resource" | "schema">): AlsoServed =>
  isBuiltIn(storage) ? served : notServed;

/** The same for watches. */
export const alsoStreamed = (storage: Pick<ObjectStorage, "resource" | "schema">): AlsoServed =>
  isBuiltIn(storage) ? streamed : notStreamed;

/** A custom resource's schema is no definition; its group may still look like one of Kubernetes' own. */
const isBuiltIn = ({ resource, schema }: Pick<ObjectStorage, "resource" | "schema">): boolean =>
  schema.definition !== "" && messageOf(apiVersionOf(resource), resource.kind) === schema.definition;
