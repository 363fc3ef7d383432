import { Nodes } from "@skiff/api";
import { type Clock, describeError, type Logger } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import type { UsageSource } from "./usage.ts";
import type { UsageHistory } from "./usage-history.ts";

/** As metrics-server is usually set up. */
export const scrapeEveryMs = 15_000;
/** A cluster's first node should not wait for long. */
const firstMs = 5_000;
const timeoutMs = 10_000;
const atOnce = 32;

/** What measuring takes. */
export interface ScrapeOptions {
  readonly table: ResourceTable;
  readonly source: UsageSource;
  readonly history: UsageHistory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks all nodes for their usage, again and again, until aborted. */
export async function scrapeUsage(options: ScrapeOptions, signal: AbortSignal): Promise<void> {
  const { table, history, clock } = options;
  for (;;) {
    await clock.sleep(history.isEmpty ? firstMs : scrapeEveryMs, signal);
    const names = table
      .of(Nodes)
      .peekAll()
      .map(({ metadata }) => metadata.name);
    const known = new Set(names);
    for (const name of history.nodes()) if (!known.has(name)) history.forget(name);
    const waiting = names.values();
    const work = async () => {
      for (const name of waiting) await ask(options, name, signal);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, work));
  }
}

async function ask({ source, history, clock, logger }: ScrapeOptions, name: string, stop: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort(stop.reason);
  stop.addEventListener("abort", end, { once: true });
  using _limit = clock.after(timeoutMs, () => ending.abort());
  try {
    history.record(name, await source.usage(name, ending.signal));
  } catch (error) {
    history.forget(name);
    if (!stop.aborted) logger.debug(`no usage of node ${name}: ${describeError(error)}`);
  } finally {
    stop.removeEventListener("abort", end);
  }
}
