import { type Pod, ServiceAccounts } from "@skiff/api";
import { type Clock, isJsonObject } from "@skiff/base";
import type { Client } from "@skiff/client";
import { VolumeFailure } from "./volume-plugin.ts";

interface Token {
  readonly text: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

export interface TokenRequest {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

/** When a token is to be replaced: after 80 % of its life, and never later than after a day. */
export const rotateAtMs = (token: Pick<Token, "issuedMs" | "expiresMs">): number =>
  Math.min(token.issuedMs + (token.expiresMs - token.issuedMs) * 0.8, token.issuedMs + 24 * 3_600_000);

/** Tokens of service accounts, bound to the pod they are for; each kept until it is time for another. */
export class ServiceAccountTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Token>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async get(pod: Pod, request: TokenRequest, signal: AbortSignal): Promise<{ text: string; rotateAtMs: number }> {
    const key = `${pod.metadata.uid} ${request.audience ?? ""} ${request.expirationSeconds}`;
    let token = this.#tokens.get(key);
    if (token === undefined || rotateAtMs(token) <= this.#clock.now()) {
      token = await this.#request(pod, request, signal);
      this.#tokens.set(key, token);
    }
    return { text: token.text, rotateAtMs: rotateAtMs(token) };
  }

  forget(uid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${uid} `)) this.#tokens.delete(key);
  }

  async #request(pod: Pod, request: TokenRequest, signal: AbortSignal): Promise<Token> {
    const { name, namespace, uid } = pod.metadata;
    const issuedMs = this.#clock.now();
    const answer = await this.#client.createSubresource(
      ServiceAccounts,
      { namespace, name: pod.spec.serviceAccountName ?? "default" },
      "token",
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        metadata: {},
        spec: {
          audiences: request.audience === undefined ? [] : [request.audience],
          expirationSeconds: request.expirationSeconds,
          boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
        },
      },
      { signal },
    );
    const status = answer.status;
    const text = isJsonObject(status) ? status.token : undefined;
    const expires = isJsonObject(status) ? status.expirationTimestamp : undefined;
    if (typeof text !== "string") throw new VolumeFailure("failed to fetch token: the answer holds none");
    const expiresMs = typeof expires === "string" ? Date.parse(expires) : issuedMs + request.expirationSeconds * 1000;
    return { text, issuedMs, expiresMs };
  }
}
