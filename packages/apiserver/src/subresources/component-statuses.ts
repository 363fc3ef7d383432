import { ComponentStatuses, StatusError } from "@skiff/api";
import { type Clock, describeError, type JsonObject } from "@skiff/base";
import type { SubresourceHandler } from "../contracts.ts";
import { type AlsoServed, negotiate } from "../encoding/negotiate.ts";
import { asObject } from "../encoding/object-json.ts";
import { includedObject } from "../http/respond-object.ts";
import { respondValue } from "../http/respond-value.ts";
import { warningHeader } from "../http/warning-header.ts";
import { partialObject, tableOf } from "../table/table.ts";
import { selectorsOf } from "../verbs/selection.ts";
import { resourceRequest } from "./object-handler.ts";

const also: AlsoServed = { protobuf: true };
const place = { kind: "ComponentStatus", apiVersion: "v1" };

/** Components by name, each with what rejects (or throws) while it is not healthy. */
export type Components = Readonly<Record<string, () => Promise<void> | void>>;

async function statusOf(name: string, check: Components[string]): Promise<JsonObject> {
  let condition: JsonObject = { type: "Healthy", status: "True", message: "ok" };
  try {
    await check();
  } catch (error) {
    condition = { type: "Healthy", status: "False", error: describeError(error) };
  }
  return { ...place, metadata: { name }, conditions: [condition] };
}

/** Kubernetes has no reason for this one, and another code than 404. */
const notFound = (name: string): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `component not found: ${name}`,
    code: 500,
  });

/** `componentstatuses`: asked for and never stored. */
export function componentStatuses(components: Components, clock: Clock): SubresourceHandler {
  return {
    verbs: ["get", "list"],
    async handle(exchange, info) {
      const { verb, name = "" } = resourceRequest(info);
      const wanted = negotiate(exchange.headers.accept, also);
      exchange.setHeader("warning", warningHeader(ComponentStatuses.deprecationWarning ?? ""));
      const { labels, fields } = selectorsOf(ComponentStatuses, exchange.query);
      const all = Object.entries(components).filter(
        ([component]) =>
          (verb === "list" || component === name) &&
          (labels?.matches({}) ?? true) &&
          // Nothing but the name can be selected by.
          (fields?.matches(() => component) ?? true),
      );
      if (verb === "get" && all.length === 0) throw notFound(name);
      const found = await Promise.all(all.map(([component, check]) => statusOf(component, check)));
      const { metaVersion, form } = wanted;
      const respond = (value: JsonObject) => respondValue(exchange, { status: 200, wanted, value });
      if (form === "table") {
        const context = { nowMs: clock.now() };
        const options = { resource: ComponentStatuses, include: includedObject(exchange), metaVersion, context };
        return respond(tableOf(found.map(asObject), {}, options));
      }
      const items = form === "object" ? found : found.map((item) => partialObject(item, metaVersion));
      const [first] = items;
      if (verb === "get" && first !== undefined) return respond(first);
      const kind = form === "object" ? "ComponentStatusList" : "PartialObjectMetadataList";
      const apiVersion = form === "object" ? "v1" : `meta.k8s.io/${metaVersion}`;
      const bare = form === "object" ? items.map(({ kind: _kind, apiVersion: _version, ...rest }) => rest) : items;
      respond({ kind, apiVersion, metadata: {}, items: bare });
    },
  };
}
