import type { Clock } from "@skiff/base";
import type { Exchange, RequestInfo, ResourceTable, UserInfo } from "../contracts.ts";
import type { FlowControl } from "./flow-control.ts";
import { seatsOf } from "./seats.ts";

/** So long a request waits for its turn at most: a quarter of the time that it may take in all. */
const waitLimitMs = 15_000;

/** How a request fared: let in (say `leave` once it is over), or answered already. */
export type Entry = { readonly kind: "in"; readonly leave: () => void } | { readonly kind: "refused" };

const nothing = () => {};
const free: Entry = { kind: "in", leave: nothing };
const refused: Entry = { kind: "refused" };

const connecting: ReadonlySet<string> = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Requests that go on for as long as their client likes. */
export const isLongRunning = (request: RequestInfo): boolean =>
  request.kind === "resource"
    ? request.verb === "watch" || (request.subresource !== undefined && connecting.has(request.subresource))
    : request.path.startsWith("/debug/pprof/");

/** What letting requests in takes. */
export interface Gate {
  readonly flowControl: FlowControl;
  readonly table: ResourceTable;
  readonly clock: Clock;
}

/** Lets a request in as flow control has it, at once wherever there is room. Connections are no requests in this sense. */
export function enter(
  { flowControl, table, clock }: Gate,
  exchange: Pick<Exchange, "setHeader" | "respond" | "signal" | "query">,
  request: RequestInfo,
  user: UserInfo,
): Entry | Promise<Entry> {
  if (isLongRunning(request) && !(request.kind === "resource" && request.verb === "watch")) return free;
  const classified = flowControl.classify(user, request);
  if (classified === undefined) return free;
  exchange.setHeader("x-kubernetes-pf-flowschema-uid", classified.schema.metadata.uid);
  exchange.setHeader("x-kubernetes-pf-prioritylevel-uid", classified.level.config.metadata.uid);
  const seats = classified.level.isExempt ? 1 : seatsOf(request, exchange, table);
  const admission = flowControl.admit(classified, seats);
  switch (admission.kind) {
    case "started":
      return { kind: "in", leave: admission.finish };
    case "refused":
      return tooMany(exchange);
    case "waiting": {
      const { promise, resolve } = Promise.withResolvers<Entry>();
      let over = false;
      const giveUp = (entry: () => Entry) => {
        if (over) return;
        over = true;
        admission.giveUp();
        resolve(entry());
      };
      const timer = clock.after(waitLimitMs, () => {
        flowControl.timedOut(classified);
        giveUp(() => tooMany(exchange));
      });
      const gone = () => giveUp(() => refused);
      exchange.signal.addEventListener("abort", gone, { once: true });
      admission.started.then((finish) => {
        timer.cancel();
        exchange.signal.removeEventListener("abort", gone);
        if (over) return finish();
        over = true;
        resolve({ kind: "in", leave: finish });
      }, nothing);
      return promise;
    }
  }
}

function tooMany(exchange: Pick<Exchange, "setHeader" | "respond">): Entry {
  exchange.setHeader("retry-after", "1");
  exchange.setHeader("x-content-type-options", "nosniff");
  exchange.respond({
    status: 429,
    contentType: "text/plain; charset=utf-8",
    body: "Too many requests, please try again later.\n",
  });
  return refused;
}
