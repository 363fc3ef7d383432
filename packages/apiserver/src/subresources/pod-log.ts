import { conformTime, DecodeFailure, type FieldError, fieldError, Pods, refusals, StatusError } from "@skiff/api";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import type { NodeConnector } from "./node-connector.ts";
import { refOf, resourceRequest } from "./object-handler.ts";
import { send, writeAll } from "./pass-request.ts";
import { containerOf } from "./pod-container.ts";

const flags = ["follow", "previous", "timestamps"] as const;
const values = ["sinceSeconds", "tailLines", "limitBytes", "stream"] as const;
const least: Readonly<Record<string, number>> = { sinceSeconds: 1, tailLines: 0, limitBytes: 1 };

/** Whole seconds, as times of the API are; `undefined` where nothing is asked for. Throws 400 for what is no time. */
function sinceTimeOf(query: URLSearchParams): string | undefined {
  const text = query.get("sinceTime");
  if (text === null || text === "" || text === "null") return undefined;
  try {
    return conformTime(text, "time");
  } catch (error) {
    if (error instanceof DecodeFailure) throw refusals.badRequest(error.message);
    throw error;
  }
}

/** What is wrong with the options of a log request. */
export function logOptionErrors(query: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, bound] of Object.entries(least)) {
    const text = query.get(field);
    if (text === null || text === "") continue;
    const number = Number(text);
    if (!Number.isInteger(number))
      throw refusals.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (number >= bound) continue;
    const why = bound === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
    errors.push(fieldError.invalid(field, number, why));
  }
  if (query.get("sinceSeconds") && sinceTimeOf(query) !== undefined) {
    errors.push(fieldError.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  }
  const stream = query.get("stream");
  if (stream !== null && !["All", "Stdout", "Stderr", ""].includes(stream)) {
    errors.push(fieldError.notSupported("stream", stream, ["All", "Stderr", "Stdout"]));
  }
  return errors;
}

/** The kubelet's query for a log. */
export function kubeletLogQuery(query: URLSearchParams): URLSearchParams {
  const wanted = new URLSearchParams();
  for (const flag of flags) {
    const value = query.get(flag);
    if (value === "true" || value === "1") wanted.set(flag, "true");
  }
  for (const name of values) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  const sinceTime = sinceTimeOf(query);
  if (sinceTime !== undefined) wanted.set("sinceTime", sinceTime);
  return wanted;
}

/** `pods/log`: what the kubelet reads, passed on line by line. */
export const podLog = (table: ResourceTable, nodes: NodeConnector): SubresourceHandler => ({
  async handle(exchange, info) {
    const request = resourceRequest(info);
    const { namespace = "", name } = { namespace: request.namespace, ...refOf(request) };
    const errors = logOptionErrors(exchange.query);
    if (errors.length > 0) throw refusals.invalid({ group: "", kind: "PodLogOptions", name }, errors);
    const pod = await table.of(Pods).get({ namespace, name });
    const container = containerOf(pod, exchange.query.get("container"));
    const node = pod.spec?.nodeName;
    const contentType = "text/plain";
    // A pod that waits for a node has said nothing yet.
    if (!node) return exchange.respond({ status: 200, contentType, body: "" });
    const { host, port, tls } = await nodes.connect(node);
    const query = kubeletLogQuery(exchange.query);
    const path = `/containerLogs/${namespace}/${name}/${container}${query.size === 0 ? "" : `?${query}`}`;
    const { signal } = exchange;
    const answer = await send({ host, port, tls, path }, { method: "GET", headers: {}, body: undefined, signal });
    if (answer.status >= 300) throw refusedByNode(answer.status, await textOf(answer.message), name);
    await writeAll(exchange, { status: 200, contentType }, answer.message);
  },
});

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > 64 * 1024) break;
  }
  return Buffer.concat(chunks).toString("utf8").trim();
}

/** A kubelet's refusal as the API's own. */
function refusedByNode(code: number, text: string, name: string): StatusError {
  if (code === 400) return refusals.badRequest(text);
  if (code === 500) return refusals.internal(text);
  if (code === 404) {
    const { status } = refusals.notFound({ group: "", kind: "pods", name });
    return new StatusError({
      ...status,
      message: `the server could not find the requested resource ( pods/log ${name})`,
      details: { name, kind: "pods/log", causes: [{ reason: "UnexpectedServerResponse", message: text }] },
    });
  }
  return refusals.internal(`the kubelet answered with ${code}: ${text}`);
}
