import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from "node:https";
import { buffer } from "node:stream/consumers";
import type { Clock } from "@skiff/base";
import { ExtenderFailure } from "./extender.ts";

/** Answers may be so long, in bytes. */
const longestAnswer = 64 * 1024 * 1024;

/** How an extender is reached. */
export interface Connection {
  readonly url: string;
  readonly tls: AgentOptions;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Posts JSON and gives the text of the answer. */
export type PostJson = (verb: string, body: unknown, signal: AbortSignal) => Promise<string>;

/** Keeps connections to one extender. */
export function postJson({ url, tls, timeoutMs, clock }: Connection): PostJson {
  const isSecure = new URL(url).protocol === "https:";
  const agent = isSecure ? new HttpsAgent({ ...tls, keepAlive: true }) : new HttpAgent({ keepAlive: true });
  return async (verb, body, signal) => {
    const target = `${url.replace(/\/+$/, "")}/${verb}`;
    const late = new AbortController();
    const timer = clock.after(timeoutMs, () => late.abort());
    const stop = AbortSignal.any([signal, late.signal]);
    try {
      const text = Buffer.from(JSON.stringify(body));
      const headers = { "content-type": "application/json", "content-length": text.length };
      const options = { agent, method: "POST", headers, signal: stop };
      const request = isSecure ? requestHttps(target, options) : requestHttp(target, options);
      const response = await answerTo(request, text);
      if (response.statusCode !== 200) {
        response.resume();
        throw new ExtenderFailure(`failed ${verb} with extender at URL ${target}, code ${response.statusCode}`);
      }
      return await textOf(response, target);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ExtenderFailure) throw error;
      const why = late.signal.aborted
        ? "context deadline exceeded"
        : error instanceof Error
          ? error.message
          : String(error);
      throw new ExtenderFailure(`Post ${JSON.stringify(target)}: ${why}`, { cause: error });
    } finally {
      timer.cancel();
    }
  };
}

function answerTo(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once("response", resolve);
  request.once("error", reject);
  request.end(body);
  return promise;
}

async function textOf(response: IncomingMessage, target: string): Promise<string> {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestAnswer) response.destroy(new Error(`the answer of ${target} is too long`));
  });
  return (await buffer(response)).toString();
}
