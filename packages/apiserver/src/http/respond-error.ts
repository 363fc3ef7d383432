import { refusals, StatusError } from "@skiff/api";
import { describeError, isAbort, type Logger } from "@skiff/base";
import { StoreError } from "@skiff/store";
import { type AlsoServed, type Negotiated, negotiate } from "../encoding/negotiate.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import { respondValue } from "./respond-value.ts";

/** Whatever went wrong, as a refusal of the API. What nobody expected is logged. */
export function asStatusError(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof StoreError) return refusals.unavailable(`the store does not take the request: ${error.message}`);
  if (isAbort(error)) return refusals.timeout("the request was given up");
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error(`a request failed unexpectedly: ${describeError(error)}`, { stack });
  return refusals.internal(describeError(error));
}

/** Answers with a refusal, unless the exchange has an answer already: then it can only break off. */
export function respondError(exchange: BaseExchange, error: StatusError): void {
  if (exchange.status !== 0) {
    exchange.stop();
    return;
  }
  const seconds = error.status.details?.retryAfterSeconds;
  if (seconds !== undefined) exchange.setHeader("retry-after", String(seconds));
  const { status } = error;
  const value = { ...JSON.parse(JSON.stringify(status)) };
  respondValue(exchange, { status: error.code, wanted: wantedOf(exchange), value });
}

const refusal: AlsoServed = { protobuf: true, onlyWhole: true };
const json: Negotiated = { format: "json", form: "object", metaVersion: "v1", pretty: false };

/** A refusal is told in JSON to whoever asked for something that there is not. */
function wantedOf(exchange: BaseExchange): Negotiated {
  try {
    return negotiate(exchange.headers.accept, refusal);
  } catch {
    return json;
  }
}

/** Answers for a path that leads nowhere, as Go's servers do. */
export function respondNoPath(exchange: BaseExchange): void {
  exchange.setHeader("x-content-type-options", "nosniff");
  exchange.respond({ status: 404, contentType: "text/plain; charset=utf-8", body: "404 page not found\n" });
}
