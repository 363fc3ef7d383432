import { createHash, createHmac, timingSafeEqual, X509Certificate } from "node:crypto";
import { request } from "node:https";
import { type Clock, isJsonObject } from "@skiff/base";
import { ClusterError } from "../settings/cluster-error.ts";
import type { BootstrapToken } from "./bootstrap-token.ts";

/** What is found out about a cluster before anything is told to it. */
export interface Discovered {
  /** PEM of the authority of the cluster's certificates. */
  readonly authority: string;
  /** The address of this machine by which the server is reached. */
  readonly localAddress: string | undefined;
}

/** What is to be discovered, and what proves that it is that. */
export interface Discovery {
  readonly server: string;
  readonly token: BootstrapToken;
  /** As in `sha256:…`: the authority must be this one. */
  readonly authorityHash: string | undefined;
}

/** A token that was made a moment ago has not signed yet, and a server may be about to start. */
const deadlineMs = 10_000;
const pollMs = 100;
const path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/**
 * The cluster's authority, from what anybody may read: whoever answers proves by the token's signature that they know the
 * token, and by the hash, where one is given, that the authority is the one which is meant.
 * https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/#discovering-what-cluster-ca-to-trust
 */
export async function discover(discovery: Discovery, clock: Clock, signal: AbortSignal): Promise<Discovered> {
  const endMs = clock.monotonic() + deadlineMs;
  for (;;) {
    const answer = await ask(discovery.server, signal);
    const found = answer.kind === "answer" ? await examine(answer.body, discovery) : answer;
    if (found.kind === "trusted") return { ...found, localAddress: answer.localAddress };
    signal.throwIfAborted();
    if (found.kind === "refused" || clock.monotonic() > endMs) throw new ClusterError("NOT_DISCOVERED", found.why);
    await clock.sleep(pollMs, signal);
  }
}

type Examined =
  | { readonly kind: "trusted"; readonly authority: string }
  /** It may yet come. */
  | { readonly kind: "missing"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

/** Judges the ConfigMap `cluster-info`. */
export async function examine(body: string, { server, token, authorityHash }: Discovery): Promise<Examined> {
  const map = parseJson(body);
  const data = isJsonObject(map) && isJsonObject(map.data) ? map.data : {};
  const { kubeconfig } = data;
  const signature = data[`jws-kubeconfig-${token.id}`];
  if (typeof kubeconfig !== "string") return { kind: "missing", why: `cluster-info of ${server} holds no kubeconfig` };
  if (typeof signature !== "string") {
    const why = `${server} does not know the token ${token.id}: it is over, or of another cluster (skiff token create makes one)`;
    return { kind: "missing", why };
  }
  if (!isSignedBy(kubeconfig, signature, token)) {
    return { kind: "refused", why: `cluster-info of ${server} is not signed with this token: it is another cluster` };
  }
  const authority = await authorityOf(kubeconfig);
  if (authority === undefined) return { kind: "refused", why: `cluster-info of ${server} names no authority` };
  const hash = publicKeyHash(authority);
  if (authorityHash !== undefined && authorityHash.toLowerCase() !== hash) {
    return {
      kind: "refused",
      why: `the authority of ${server} is ${hash}, not ${authorityHash}: it is another cluster`,
    };
  }
  return { kind: "trusted", authority };
}

/** The hash of an authority's public key, as kubeadm writes it. */
export function publicKeyHash(authority: string): string {
  const key = new X509Certificate(authority).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/** Whether a JWS without its payload (`HEADER..SIGNATURE`, HS256) is one of `payload` by the token. */
export function isSignedBy(payload: string, signature: string, { id, secret }: BootstrapToken): boolean {
  const [header = "", between, mac = "", ...more] = signature.split(".");
  if (between !== "" || more.length > 0) return false;
  const said = parseJson(Buffer.from(header, "base64url").toString("utf8"));
  if (!isJsonObject(said) || said.alg !== "HS256" || said.kid !== id) return false;
  const content = Buffer.from(payload).toString("base64url");
  const own = createHmac("sha256", secret).update(`${header}.${content}`).digest();
  const theirs = Buffer.from(mac, "base64url");
  return own.length === theirs.length && timingSafeEqual(own, theirs);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The kubeconfig there has one cluster, without a name, and nothing else. */
async function authorityOf(kubeconfig: string): Promise<string | undefined> {
  const { parse } = await import("../kubeconfig/yaml.ts");
  try {
    const config: unknown = parse(kubeconfig);
    const [entry] = isJsonObject(config) && Array.isArray(config.clusters) ? config.clusters : [];
    const cluster = isJsonObject(entry) && isJsonObject(entry.cluster) ? entry.cluster : {};
    const data = cluster["certificate-authority-data"];
    if (typeof data !== "string") return undefined;
    const pem = Buffer.from(data, "base64").toString("utf8");
    // Throws for what is none.
    return new X509Certificate(pem).ca ? pem : undefined;
  } catch {
    return undefined;
  }
}

type Answer = { readonly localAddress: string | undefined } & (
  | { readonly kind: "answer"; readonly body: string }
  | { readonly kind: "missing"; readonly why: string }
);

/** One look at `cluster-info`, whoever the server is. */
function ask(server: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const missing = (why: string) => resolve({ kind: "missing", why, localAddress: undefined });
    const options = { rejectUnauthorized: false, agent: false, timeout: 5_000, signal } as const;
    const call = request(new URL(path, server), options, (response) => {
      const { localAddress } = response.socket;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => missing(`${server} broke off: ${error.message}`));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve({ kind: "answer", body, localAddress });
        else missing(`${server} gives no cluster-info (${response.statusCode}): it takes no nodes`);
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("error", (error) => missing(`${server} cannot be reached: ${error.message}`));
    call.end();
  });
}
