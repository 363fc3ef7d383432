import { connectOptions } from "../admission/connect-options.ts";
import type { Exchange, KindName, RequestInfo, UserInfo } from "../contracts.ts";
import { asObject } from "../encoding/object-json.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { proxiedPath } from "../subresources/proxy-path.ts";

/** A request that is about to be joined to a pod, a Service or a node. */
interface Connection {
  readonly exchange: Exchange;
  readonly info: Extract<RequestInfo, { kind: "resource" }>;
  readonly user: UserInfo;
  readonly storage: ObjectStorage;
  /** The kind of its options. */
  readonly kind: KindName;
}

/** Asks admission about a connection: its plugins see the options in place of an object. */
export async function admitConnection({ exchange, info, user, storage, kind }: Connection): Promise<void> {
  const { namespace, name = "", subresource } = info;
  const path = subresource === "proxy" ? proxiedPath(exchange.url, namespace !== undefined) : "";
  const options = connectOptions(kind, { query: exchange.query, path });
  const object = asObject({ ...options, metadata: {} });
  await storage.admit(
    { operation: "CONNECT", subresource, kind, namespace, name, object, oldObject: undefined },
    { user, fieldManager: "", dryRun: false, fieldValidation: "Ignore", warn() {} },
  );
}
