import { qualifiedPlural, refusals } from "@skiff/api";
import type { Clock, Logger } from "@skiff/base";
import { forbidden } from "../authorization/access.ts";
import type { Decision, RequestInfo, UserInfo } from "../contracts.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import { enter, type Gate, isLongRunning } from "../fairness/enter.ts";
import type { RequestLabels } from "../observe/request-metrics.ts";
import { findRoute } from "../route-paths.ts";
import { attributesOf, parseRequest } from "../routing/request-info.ts";
import type { StandardParts } from "../standard-parts-options.ts";
import { freshFor } from "../storage/fresh-for.ts";
import type { StorageTable } from "../storage/storage-table.ts";
import { customScale } from "../subresources/custom-scale.ts";
import type { Bookmarks } from "../watch/bookmarks.ts";
import type { EventEncoder } from "../watch/event-encoder.ts";
import { admitConnection } from "./admit-connection.ts";
import { Deadlines } from "./deadlines.ts";
import { requestedTimeout } from "./request-timeout.ts";
import { asStatusError, respondError, respondNoPath } from "./respond-error.ts";
import { checkSubresource, methodNotAllowed, serveResource } from "./serve-resource.ts";

/** What answering requests takes. */
export interface RequestLineOptions {
  readonly parts: StandardParts;
  readonly table: StorageTable;
  readonly bookmarks: Bookmarks;
  readonly encoder: EventEncoder;
  readonly clock: Clock;
  readonly logger: Logger;
}

type ResourceInfo = Extract<RequestInfo, { kind: "resource" }>;

/** The straight line of a request over HTTP: who, may they, where to. */
export class RequestLine implements Disposable {
  readonly #options: RequestLineOptions;
  readonly #gate: Gate;
  readonly #deadlines: Deadlines;

  constructor(options: RequestLineOptions) {
    this.#options = options;
    const { parts, table, clock } = options;
    this.#deadlines = new Deadlines(clock);
    this.#gate = { flowControl: parts.flowControl, table, clock };
  }

  [Symbol.dispose](): void {
    this.#deadlines[Symbol.dispose]();
  }

  /** Answers a request, whatever happens. */
  async serve(exchange: BaseExchange): Promise<void> {
    const { parts, clock, logger } = this.#options;
    const begunMs = clock.monotonic();
    let done: (() => void) | undefined;
    let audit: ((user: UserInfo) => void) | undefined;
    try {
      if (isMalformed(exchange.url)) {
        exchange.respond({ status: 400, contentType: "text/plain; charset=utf-8", body: "400 Bad Request" });
        return;
      }
      const query = exchange.hasQuery ? exchange.query : undefined;
      const info = parseRequest({ method: exchange.method, path: exchange.path, query });
      const count = parts.metrics.begin(
        this.#isKnown(info) ? labelsOf(info, exchange.method, query?.get("dryRun")) : nowhere,
      );
      exchange.onDone = ({ status, bodyBytes }) => count(status, (clock.monotonic() - begunMs) / 1000, bodyBytes);
      exchange.isLongRunning = isLongRunning(info);
      const attributes = attributesOf(info);
      const id = parts.audit.name(exchange);
      audit = (asking) => {
        audit = undefined;
        parts.audit.begin(id, exchange, attributes, asking);
      };
      const known = parts.authenticator.authenticate(exchange, info);
      const user = identified(exchange, known instanceof Promise ? await known : known);
      audit(user);
      if (!exchange.isLongRunning) {
        done = this.#deadlines.add(exchange, query === undefined ? undefined : requestedTimeout(query));
      }
      const entering = enter(this.#gate, exchange, attributes, user);
      const entry = entering instanceof Promise ? await entering : entering;
      if (entry.kind === "in") await this.#answer(exchange, info, user, entry.leave);
    } catch (error) {
      // Who asks was not found out: that, too, is to be written down.
      audit?.(nobody);
      try {
        respondError(exchange, asStatusError(error, logger));
      } catch (failure) {
        logger.error("a refusal could not be sent", { failure });
      }
    } finally {
      done?.();
    }
  }

  /** Throws (or rejects with) 403 for what the user may not do. A promise only where there is something to wait for. */
  #authorize(exchange: BaseExchange, user: UserInfo, request: RequestInfo): Promise<void> | undefined {
    const settle = (decision: Decision): void => {
      exchange.annotate?.("authorization.k8s.io/decision", decision.kind === "allowed" ? "allow" : "forbid");
      exchange.annotate?.("authorization.k8s.io/reason", decision.reason);
      if (decision.kind !== "allowed") throw forbidden({ user, request }, decision.reason);
    };
    const decided = this.#options.parts.authorizer.authorize({ user, request });
    if (decided instanceof Promise) return decided.then(settle);
    settle(decided);
    return undefined;
  }

  async #answer(exchange: BaseExchange, info: RequestInfo, user: UserInfo, leave: () => void): Promise<void> {
    try {
      const allowed = this.#authorize(exchange, user, attributesOf(info));
      if (allowed !== undefined) await allowed;
      // Over a WebSocket one does by GET what one otherwise does by POST: that right must not come with reading.
      if (isStreamByGet(info)) await this.#authorize(exchange, user, { ...info, verb: "create" });
      const answering = this.#dispatch(exchange, info, user);
      // What a watch begins with is told at once; then it only waits for what happens.
      if (info.verb === "watch") leave();
      await answering;
    } finally {
      leave();
    }
  }

  #dispatch(exchange: BaseExchange, info: RequestInfo, user: UserInfo): Promise<void> {
    const { aggregation } = this.#options.parts;
    const elsewhere = aggregation.findPath(exchange.path);
    if (elsewhere !== undefined) return aggregation.pass(exchange, elsewhere, { user, info });
    return info.kind === "path" ? this.#servePath(exchange, info, user) : this.#serveResource(exchange, info, user);
  }

  /** Labels of metrics are remembered for ever, so that only words that the API knows may become one. */
  #isKnown(info: RequestInfo): boolean {
    const { table, parts } = this.#options;
    return info.kind === "path" || table.find(info) !== undefined || parts.virtualResources.has(qualifiedPlural(info));
  }

  async #servePath(exchange: BaseExchange, info: RequestInfo, user: UserInfo): Promise<void> {
    const { path } = exchange;
    const stripped = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const route = findRoute(this.#options.parts.paths, stripped);
    if (route === undefined) respondNoPath(exchange);
    else await route.handle(exchange, info, user);
  }

  async #serveResource(exchange: BaseExchange, info: ResourceInfo, user: UserInfo): Promise<void> {
    const { parts, table, bookmarks, encoder } = this.#options;
    // What goes through a proxy is none of our business, whatever it is written in.
    if (info.verb !== "get" && info.subresource !== "proxy") exchange.translateBody();
    const qualified = qualifiedPlural(info);
    const storage = table.find(info);
    if (storage === undefined) throw refusals.noSuchPath();
    const virtual = parts.virtualResources.get(qualified);
    if (virtual !== undefined && info.subresource === undefined) {
      const inNamespace = storage.resource.scope === "namespaced";
      if (inNamespace !== (info.namespace !== undefined)) throw refusals.noSuchPath();
      const { verbs = ["create"] } = virtual;
      if (!verbs.some((verb) => verb === info.verb)) throw methodNotAllowed();
      if (info.verb === "create" && info.name !== undefined) throw methodNotAllowed();
      return await virtual.handle(exchange, info, user);
    }
    const fresh = freshFor(storage, exchange.hasQuery ? exchange.query : undefined);
    if (fresh !== undefined) await fresh;
    if (info.subresource !== undefined) {
      const handler =
        parts.subresources.get(`${qualified}/${info.subresource}`) ?? customScale(storage, info.subresource);
      if (handler?.unlisted === true) {
        if (info.verb !== "get") throw methodNotAllowed();
        return await handler.handle(exchange, info, user);
      }
      if (handler !== undefined) {
        const { actions, kind } = checkSubresource(storage.resource, info);
        if (actions.includes("connect")) await admitConnection({ exchange, info, user, storage, kind });
        return await handler.handle(exchange, info, user);
      }
    }
    await serveResource({ exchange, info, user, storage, bookmarks, encoder, authorizer: parts.authorizer });
  }
}

/** Who asks. Throws 401 where that is not known. */
function identified(exchange: BaseExchange, user: UserInfo | undefined): UserInfo {
  // Who shows a certificate that is not ours means to be somebody: they are not taken for anybody else.
  const pretends = exchange.context.shown.rejected && exchange.headers.authorization === undefined;
  if (user === undefined || pretends) throw refusals.unauthorized();
  return user;
}

const isStreamByGet = (info: RequestInfo): info is ResourceInfo =>
  info.kind === "resource" &&
  info.verb === "get" &&
  info.plural === "pods" &&
  info.group === "" &&
  streams.has(info.subresource ?? "");

const streams: ReadonlySet<string> = new Set(["exec", "attach", "portforward"]);

/** A path with a percent sign that begins no byte is no path at all; what is wrong with a query is passed over. */
const isMalformed = (url: string): boolean => url.includes("%") && /^[^?]*%(?![0-9a-f]{2})/i.test(url);

const nobody: UserInfo = { name: "", groups: [] };
const nowhere: RequestLabels = { verb: "", group: "", version: "", resource: "", subresource: "", scope: "" };
const connecting: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy"]);

function labelsOf(info: RequestInfo, method: string, dryRun: string | null | undefined): RequestLabels {
  if (info.kind === "path") return { ...nowhere, verb: method === "GET" ? "GET" : "POST" };
  const { verb, group, version, plural, subresource = "", namespace, name } = info;
  return {
    verb: connecting.has(subresource) ? "CONNECT" : verb === "list" || verb === "watch" ? verb.toUpperCase() : method,
    ...(dryRun === "All" ? { dryRun } : {}),
    group,
    version,
    resource: plural,
    subresource,
    scope: name !== undefined ? "resource" : namespace !== undefined ? "namespace" : "cluster",
  };
}
