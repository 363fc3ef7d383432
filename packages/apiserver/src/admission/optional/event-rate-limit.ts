import { Events, StatusError } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest } from "../../contracts.ts";
import { objectOf } from "../narrow.ts";

/** So many events a second, and so many at once, from or about whatever a limit counts by. */
export interface EventLimit {
  readonly type: "Server" | "Namespace" | "User" | "SourceAndObject";
  readonly qps: number;
  readonly burst: number;
  /** How many namespaces, users, … are kept in mind. */
  readonly cacheSize: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/**
 * Keeps the store from being flooded with events.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#eventratelimit
 */
export function eventRateLimit(clock: Clock, limits: readonly EventLimit[] = []): AdmissionPlugin {
  const enforced = limits.map((limit) => new Enforcer(limit, clock));
  return {
    name: "EventRateLimit",
    resources: [Events],
    // Only events of the core group are counted.
    handles: ({ operation, kind, dryRun }) =>
      (operation === "CREATE" || operation === "UPDATE") && kind.group === "" && !dryRun,
    validate(request) {
      // Each limit counts the event, whatever the others say.
      const [refusal] = enforced.flatMap((limit) => limit.count(request) ?? []).slice(-1);
      if (refusal !== undefined) throw refusal;
    },
  };
}

class Enforcer {
  readonly #limit: EventLimit;
  readonly #clock: Clock;
  /** Those asked for last are last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: EventLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** What to refuse the event with; `undefined` for one that may pass. */
  count(request: AdmissionRequest): StatusError | undefined {
    const { type, qps, burst } = this.#limit;
    const key = keyOf(type, request);
    const nowMs = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { left: burst, atMs: nowMs };
    bucket.left = Math.min(burst, bucket.left + ((nowMs - bucket.atMs) / 1000) * qps);
    bucket.atMs = nowMs;
    this.#keep(key, bucket);
    if (bucket.left < 1) return tooMany(`limit reached on type ${type} for key ${key}`);
    bucket.left--;
    return undefined;
  }

  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#limit.cacheSize && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

function keyOf(type: EventLimit["type"], request: AdmissionRequest): string {
  if (type === "Server") return "";
  if (type === "Namespace") return request.namespace ?? "";
  if (type === "User") return request.user.name;
  const { source = {}, involvedObject = {} } = objectOf(request, Events) ?? {};
  const { kind, namespace, name, uid, apiVersion } = involvedObject;
  return [source.component, source.host, kind, namespace, name, uid, apiVersion].map((part) => part ?? "").join("");
}

const tooMany = (message: string): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `Too many requests: ${message}`,
    reason: "TooManyRequests",
    code: 429,
  });
