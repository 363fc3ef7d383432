import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { defineResource, SubjectAccessReviews, type TokenReview } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { Client } from "@skiff/client";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";
import { RequestFailure } from "./target.ts";

/** Who asks. */
export interface NodeUser {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** `tokenreviews.authentication.k8s.io`: whose token is it? Answered, not stored. */
const tokenReviews = defineResource<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
});

/** Whom the API server is known as to nodes: it has asked already whether the user may. */
const apiServers: ReadonlySet<string> = new Set([
  "kube-apiserver-kubelet-client",
  "kube-apiserver",
  "system:apiserver",
]);

const tokenMs = 120_000;
const allowedMs = 300_000;
const deniedMs = 30_000;
const mostKept = 1000;

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** The subresources of the node any of which has to be allowed for a path, the most special first. */
export function subresourcesOf(path: string): readonly string[] {
  const isBelow = (folder: string) => path === folder || path.startsWith(`${folder}/`);
  if (isBelow("/stats")) return ["stats"];
  if (isBelow("/metrics")) return ["metrics"];
  if (isBelow("/logs")) return ["log"];
  if (isBelow("/checkpoint")) return ["checkpoint"];
  if (isBelow("/pods") || isBelow("/runningpods")) return ["pods", "proxy"];
  if (isBelow("/healthz")) return ["healthz", "proxy"];
  if (isBelow("/configz")) return ["configz", "proxy"];
  return ["proxy"];
}

interface Kept<T> {
  readonly value: T;
  readonly untilMs: number;
}

/**
 * Who may use a node's server. Certificates of the cluster's authority and, through the API server, bearer tokens say who
 * asks; the API server says whether they may.
 * https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
 */
export class NodeAccess {
  readonly #options: NodeAccessOptions;
  readonly #tokens = new Map<string, Kept<NodeUser>>();
  readonly #decisions = new Map<string, Kept<boolean>>();

  constructor(options: NodeAccessOptions) {
    this.#options = options;
  }

  /** Throws `RequestFailure` with 401 or 403 where the request is not to be served. */
  async check(request: IncomingMessage, signal: AbortSignal): Promise<void> {
    const user = await this.#whoAsks(request, signal);
    if (user === undefined) throw new RequestFailure(401, "Unauthorized");
    if (user.groups.includes("system:masters") || apiServers.has(user.name)) return;
    if (this.#options.configuration.authorizationMode === "AlwaysAllow") return;
    const path = new URL(request.url ?? "/", "https://node").pathname;
    const verb = verbs[request.method ?? ""] ?? "";
    const subresources = subresourcesOf(path);
    for (const subresource of subresources) if (await this.#mayUse(user, { verb, subresource }, signal)) return;
    throw new RequestFailure(
      403,
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`,
    );
  }

  async #whoAsks(request: IncomingMessage, signal: AbortSignal): Promise<NodeUser | undefined> {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) {
      const { subject } = socket.getPeerCertificate();
      const [name] = [subject?.CN ?? []].flat();
      if (name !== undefined) return { name, groups: [...[subject?.O ?? []].flat(), "system:authenticated"] };
    }
    const { anonymousAuth, webhookAuth } = this.#options.configuration;
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token !== undefined) return webhookAuth ? await this.#ofToken(token, signal) : undefined;
    return anonymousAuth ? { name: "system:anonymous", groups: ["system:unauthenticated"] } : undefined;
  }

  async #ofToken(token: string, signal: AbortSignal): Promise<NodeUser | undefined> {
    const { client, clock } = this.#options;
    const known = this.#tokens.get(token);
    if (known !== undefined && known.untilMs > clock.now()) return known.value;
    const review = { metadata: {}, spec: { token }, status: {} };
    const { status } = await client.create(tokenReviews, review, { signal });
    const { user } = status;
    if (status.authenticated !== true || user?.username === undefined) return undefined;
    const found: NodeUser = {
      name: user.username,
      groups: user.groups ?? [],
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    };
    keep(this.#tokens, token, { value: found, untilMs: clock.now() + tokenMs });
    return found;
  }

  async #mayUse(
    user: NodeUser,
    asked: { readonly verb: string; readonly subresource: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { client, clock, nodeName } = this.#options;
    const key = JSON.stringify([user, asked]);
    const known = this.#decisions.get(key);
    if (known !== undefined && known.untilMs > clock.now()) return known.value;
    const review = {
      metadata: {},
      spec: {
        user: user.name,
        groups: [...user.groups],
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        ...(user.extra === undefined
          ? {}
          : { extra: Object.fromEntries(Object.entries(user.extra).map(([name, values]) => [name, [...values]])) }),
        resourceAttributes: { ...asked, version: "v1", resource: "nodes", name: nodeName },
      },
      status: { allowed: false },
    };
    const { status } = await client.create(SubjectAccessReviews, review, { signal });
    keep(this.#decisions, key, {
      value: status.allowed,
      untilMs: clock.now() + (status.allowed ? allowedMs : deniedMs),
    });
    return status.allowed;
  }
}

/** Answers are kept for a while, and not too many of them: the oldest goes. */
function keep<T>(table: Map<string, Kept<T>>, key: string, kept: Kept<T>): void {
  table.delete(key);
  table.set(key, kept);
  const [oldest] = table.keys();
  if (table.size > mostKept && oldest !== undefined) table.delete(oldest);
}

export interface NodeAccessOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly configuration: KubeletConfiguration;
  readonly nodeName: string;
}
