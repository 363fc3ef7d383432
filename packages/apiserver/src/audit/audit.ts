import { type Clock, type JsonObject, type Random, uuid } from "@skiff/base";
import type { RequestInfo, UserInfo } from "../contracts.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import { Audited, type AuditSink } from "./audited.ts";
import type { AuditPolicy } from "./policy.ts";

/** What an audit log is made of. */
export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly sink: AuditSink;
}

const longestId = 64;

/** Says of every request by what name it is known, and writes down those that the policy names. */
export class Audit {
  readonly #options: AuditOptions | undefined;
  readonly #clock: Clock;
  /** Names are a random beginning, one a server's life, and a number: a request need not wait for chance. */
  readonly #prefix: string;
  #named = 0;
  #events = 0;

  constructor(options: AuditOptions | undefined, clock: Clock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#prefix = uuid(random).slice(0, -12);
  }

  /** How many events were written. */
  get events(): number {
    return this.#events;
  }

  /** Names a request, as its client does where it has a name for it already. */
  name(exchange: BaseExchange): string {
    const given = exchange.headers["audit-id"];
    const id =
      given === undefined || given === ""
        ? this.#prefix + (this.#named++).toString(16).padStart(12, "0")
        : given.slice(0, longestId);
    exchange.setHeader("audit-id", id);
    return id;
  }

  /** Begins to write a request down; `undefined` where nobody wants to know of it. */
  begin(id: string, exchange: BaseExchange, info: RequestInfo, user: UserInfo): Audited | undefined {
    if (this.#options === undefined) return undefined;
    const { policy, sink } = this.#options;
    const decision = policy.decide(user, info);
    if (decision.level === "None") return undefined;
    const now = () => this.#clock.now();
    const counting = {
      write: (event: JsonObject) => {
        this.#events++;
        sink.write(event);
      },
    };
    const audited = new Audited({ id, exchange, info, user, decision, receivedMs: now() }, counting, now);
    exchange.annotate = (key, text) => audited.annotate(key, text);
    audited.stage("RequestReceived");
    if (exchange.isLongRunning) exchange.onStarted = () => audited.stage("ResponseStarted");
    const { onDone } = exchange;
    exchange.onDone = (done) => {
      onDone?.(done);
      audited.stage("ResponseComplete");
    };
    return audited;
  }
}
