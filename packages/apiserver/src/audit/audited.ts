import { deepCopy, isJsonObject, type JsonObject, type JsonValue, microTimestamp } from "@skiff/base";
import { impersonator } from "../authentication/impersonation.ts";
import type { RequestInfo, UserInfo } from "../contracts.ts";
import { protobufToJson } from "../encoding/protobuf/protobuf-to-json.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import type { AuditDecision, AuditLevel, AuditStage } from "./policy.ts";

/** Where events go. Must not throw and must not keep the caller waiting. */
export interface AuditSink {
  write(event: JsonObject): void;
}

/** A request that is written down. */
export interface AuditedRequest {
  readonly id: string;
  readonly exchange: BaseExchange;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly decision: AuditDecision;
  readonly receivedMs: number;
}

const userOf = ({ name, uid, groups, extra }: UserInfo): JsonObject => ({
  ...(name === "" ? {} : { username: name }),
  ...(uid === undefined || uid === "" ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups: [...groups] }),
  ...(extra === undefined
    ? {}
    : { extra: Object.fromEntries(Object.entries(extra).map(([key, all]) => [key, [...all]])) }),
});

function referenceOf(info: RequestInfo): JsonObject | undefined {
  if (info.kind === "path") return undefined;
  const { plural, namespace, name, group, version, subresource } = info;
  return {
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(group === "" ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** Addresses of the client and of proxies before it, the first first. */
function sourcesOf({ headers, remoteAddress }: BaseExchange): string[] {
  const plain = remoteAddress.replace(/^::ffff:/, "");
  const forwarded = (headers["x-forwarded-for"] ?? "").split(",").map((item) => item.trim());
  return [...new Set([...forwarded.filter((item) => item !== ""), ...(plain === "" ? [] : [plain])])];
}

const ranks: Readonly<Record<AuditLevel, number>> = { None: 0, Metadata: 1, Request: 2, RequestResponse: 3 };

/** Writes down what becomes of one request. */
export class Audited {
  readonly #request: AuditedRequest;
  readonly #sink: AuditSink;
  readonly #now: () => number;
  readonly #annotations: Record<string, string> = {};
  #sent: Buffer | undefined;
  #answered: Uint8Array | string | undefined;

  constructor(request: AuditedRequest, sink: AuditSink, now: () => number) {
    this.#request = request;
    this.#sink = sink;
    this.#now = now;
    const { exchange, decision } = request;
    if (ranks[decision.level] < ranks.Request) return;
    exchange.recorder = {
      request: (body) => {
        this.#sent = body;
      },
      response: (body) => {
        if (decision.level === "RequestResponse") this.#answered = body;
      },
    };
  }

  /** Says something of the request that is not in it: what authorization and admission thought. The first word stands. */
  annotate(key: string, text: string): void {
    this.#annotations[key] ??= text;
  }

  /** The request has come to a stage. */
  stage(stage: AuditStage): void {
    const { decision, exchange, info, user, id, receivedMs } = this.#request;
    if (decision.omitStages.has(stage)) return;
    const original = impersonator(user);
    const reference = referenceOf(info);
    const ended = stage !== "RequestReceived";
    const sent = ended ? objectOf(this.#sent, decision) : undefined;
    const answered = stage === "ResponseComplete" ? objectOf(this.#answered, decision) : undefined;
    this.#sink.write({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: decision.level,
      auditID: id,
      stage,
      requestURI: exchange.url,
      verb: info.verb,
      user: userOf(original ?? user),
      ...(original === undefined ? {} : { impersonatedUser: userOf(user) }),
      sourceIPs: sourcesOf(exchange),
      ...(exchange.headers["user-agent"] === undefined ? {} : { userAgent: exchange.headers["user-agent"] }),
      ...(reference === undefined ? {} : { objectRef: named(reference, answered ?? sent) }),
      ...(ended ? { responseStatus: statusOf(exchange.status, answered) } : {}),
      ...(sent === undefined ? {} : { requestObject: sent }),
      ...(answered === undefined ? {} : { responseObject: answered }),
      requestReceivedTimestamp: microTimestamp(receivedMs),
      stageTimestamp: microTimestamp(this.#now()),
      ...(ended && Object.keys(this.#annotations).length > 0 ? { annotations: { ...this.#annotations } } : {}),
    });
  }
}

/** A creation's name is in its body. */
function named(reference: JsonObject, object: JsonValue | undefined): JsonObject {
  if (!isJsonObject(object) || !isJsonObject(object.metadata)) return reference;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    ...reference,
    ...(reference.name === undefined && typeof name === "string" ? { name } : {}),
    ...(reference.namespace === undefined && typeof namespace === "string" ? { namespace } : {}),
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" && resourceVersion !== "" ? { resourceVersion } : {}),
  };
}

function statusOf(code: number, answered: JsonValue | undefined): JsonObject {
  const isStatus = isJsonObject(answered) && answered.kind === "Status";
  if (!isStatus) return { metadata: {}, code };
  const { status, message, reason, details } = answered;
  return {
    metadata: {},
    ...(status === undefined ? {} : { status }),
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function objectOf(body: Uint8Array | string | undefined, { omitManagedFields }: AuditDecision): JsonValue | undefined {
  if (body === undefined || body.length === 0) return undefined;
  try {
    const text = typeof body === "string" ? body : jsonText(body);
    const value: unknown = JSON.parse(text);
    if (!isJson(value)) return undefined;
    return omitManagedFields ? withoutManagedFields(value) : value;
  } catch {
    // YAML, logs, whatever: no object that could be shown.
    return undefined;
  }
}

const isJson = (value: unknown): value is JsonValue => value !== undefined;

/** `k8s` and a zero byte begin what is encoded in protobuf. */
function jsonText(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.subarray(0, 4).toString("latin1") === "k8s\0" ? String(protobufToJson(bytes)) : bytes.toString("utf8");
}

function withoutManagedFields(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const copy = deepCopy(value);
  for (const object of [copy, ...(Array.isArray(copy.items) ? copy.items : [])]) {
    if (isJsonObject(object) && isJsonObject(object.metadata)) delete object.metadata.managedFields;
  }
  return copy;
}
