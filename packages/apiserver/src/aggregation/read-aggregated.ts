import { refusals, StatusError } from "@skiff/api";
import { isJsonObject, type JsonObject, parseJson } from "@skiff/base";
import type { Aggregation } from "./aggregation.ts";
import type { Asking } from "./ask.ts";

/** GETs a path with its query, in this server's own name. Throws `StatusError` for what is refused or not there. */
export async function readAggregated(
  parts: { readonly aggregation: Aggregation; readonly asking: Pick<Asking, "get"> },
  url: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const service = parts.aggregation.findPath(url.split("?")[0] ?? "");
  if (service === undefined) throw refusals.noSuchPath();
  if (service.builtIn !== undefined) return service.builtIn.read(url);
  if (!service.available) throw refusals.unavailable("the server is currently unable to handle the request");
  const { status, body } = await parts.asking.get(service, url, {
    accept: "application/json",
    trusting: false,
    signal,
  });
  const json = jsonOf(body);
  if (status >= 200 && status < 300 && json !== undefined) return json;
  if (json?.kind === "Status" && typeof json.message === "string") {
    const { message, reason } = json;
    const told = typeof reason === "string" ? { reason } : {};
    throw new StatusError({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...told,
      code: status,
    });
  }
  throw status === 404 ? refusals.noSuchPath() : refusals.internal(`the server answered with ${status}`);
}

function jsonOf(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
