import type { WebhookClientConfig } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { WebhookClient, WebhookCredentials } from "./webhook-client.ts";

/** A server that reviews are sent to, as a kubeconfig names it. PEM texts. */
export interface RemoteServer extends WebhookCredentials {
  readonly url: string;
  readonly ca?: string;
}

/** Posts a review to the server and gives its answer. Rejects where there is none. */
export function postReview(
  client: WebhookClient,
  server: RemoteServer,
  { body, timeoutMs }: { readonly body: JsonObject; readonly timeoutMs: number },
): Promise<JsonObject> {
  const config: WebhookClientConfig = {
    url: server.url,
    ...(server.ca === undefined ? {} : { caBundle: Buffer.from(server.ca).toString("base64") }),
  };
  return client.call(config, { body, timeoutMs, tellTimeout: false, signal: never, credentials: server });
}

const never = new AbortController().signal;
