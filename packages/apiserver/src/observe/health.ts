import { type Clock, describeError } from "@skiff/base";
import type { Exchange } from "../contracts.ts";
import type { PathRoute } from "../standard-parts-options.ts";

/** One condition of health. Throws (or rejects) while it does not hold. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void> | void;
}

/** Where checks are asked for. */
export type Endpoint = "healthz" | "livez" | "readyz";

const storeLimitMs = 2_000;

/** A check of what cannot fail while the process lives. */
export const always = (name: string): HealthCheck => ({ name, check: () => {} });

/** Checks that every server has; `ping` says no more than that it answers. */
export const basicChecks: readonly HealthCheck[] = [always("ping"), always("log")];

/** Whether the store answers, which it must within two seconds. */
export const storeCheck = (
  name: "etcd" | "etcd-readiness",
  { clock, answers }: { readonly clock: Clock; readonly answers: (() => Promise<void>) | undefined },
): HealthCheck => ({
  name,
  async check() {
    if (answers === undefined) return;
    const late = Promise.withResolvers<never>();
    using _limit = clock.after(storeLimitMs, () => late.reject(new Error("timed out")));
    await Promise.race([answers(), late.promise]);
  },
});

/** Fails once the server is about to stop, so that nobody is sent to it any more. */
export const shutdownCheck = (lifecycle: { readonly isStopping: boolean }): HealthCheck => ({
  name: "shutdown",
  check: () => {
    if (lifecycle.isStopping) throw new Error("process is shutting down");
  },
});

interface Outcome {
  readonly name: string;
  readonly state: "ok" | "failed" | "excluded";
}

async function run(checks: readonly HealthCheck[], excluded: ReadonlySet<string>): Promise<readonly Outcome[]> {
  return Promise.all(
    checks.map(async ({ name, check }): Promise<Outcome> => {
      if (excluded.has(name)) return { name, state: "excluded" };
      try {
        await check();
        return { name, state: "ok" };
      } catch {
        return { name, state: "failed" };
      }
    }),
  );
}

const lines: Readonly<Record<Outcome["state"], (name: string) => string>> = {
  ok: (name) => `[+]${name} ok\n`,
  // Why is in the server's log: whoever asks may be anybody.
  failed: (name) => `[-]${name} failed: reason withheld\n`,
  excluded: (name) => `[+]${name} excluded: ok\n`,
};

const plain = "text/plain; charset=utf-8";

interface Report {
  readonly endpoint: Endpoint;
  readonly outcomes: readonly Outcome[];
  /** Names that were to be excluded, and are those of no check. */
  readonly unknown: readonly string[];
}

function answer(exchange: Exchange, { endpoint, outcomes, unknown }: Report): void {
  exchange.setHeader("x-content-type-options", "nosniff");
  const names = unknown.map((name) => JSON.stringify(name)).join(",");
  const warning = unknown.length === 0 ? "" : `warn: some health checks cannot be excluded: no matches for ${names}\n`;
  const report = outcomes.map(({ name, state }) => lines[state](name)).join("") + warning;
  const failed = outcomes.some(({ state }) => state === "failed");
  if (failed) {
    exchange.respond({ status: 500, contentType: plain, body: `${report}${endpoint} check failed\n` });
    return;
  }
  const verbose = exchange.query.has("verbose");
  exchange.respond({ status: 200, contentType: plain, body: verbose ? `${report}${endpoint} check passed\n` : "ok" });
}

async function answerOne(exchange: Exchange, { check }: HealthCheck): Promise<void> {
  exchange.setHeader("x-content-type-options", "nosniff");
  try {
    await check();
    exchange.respond({ status: 200, contentType: plain, body: "ok" });
  } catch (error) {
    const body = `internal server error: ${describeError(error)}\n`;
    exchange.respond({ status: 500, contentType: plain, body });
  }
}

/** `/healthz`, `/livez`, `/readyz`, and each check below them by name. */
export function healthRoutes(checks: Readonly<Record<Endpoint, readonly HealthCheck[]>>): readonly PathRoute[] {
  const endpoints: readonly Endpoint[] = ["healthz", "livez", "readyz"];
  return endpoints.flatMap((endpoint): readonly PathRoute[] => [
    {
      path: `/${endpoint}`,
      match: "exact",
      async handle(exchange) {
        const excluded = new Set(exchange.query.getAll("exclude").filter((name) => name !== ""));
        const outcomes = await run(checks[endpoint], excluded);
        const unknown = [...excluded].filter((name) => !checks[endpoint].some((check) => check.name === name)).sort();
        answer(exchange, { endpoint, outcomes, unknown });
      },
    },
    ...checks[endpoint].map(
      (check): PathRoute => ({
        path: `/${endpoint}/${check.name}`,
        match: "exact",
        handle: (exchange) => answerOne(exchange, check),
      }),
    ),
  ]);
}

/** The outcome of every check, once, as `/metrics/slis` has it: by endpoint and name. */
export async function healthSamples(
  checks: Readonly<Record<Endpoint, readonly HealthCheck[]>>,
): Promise<readonly { readonly type: string; readonly name: string; readonly passes: boolean }[]> {
  const all = await Promise.all(
    Object.entries(checks).map(async ([type, list]) => {
      const outcomes = await run(list, new Set());
      return outcomes.map(({ name, state }) => ({ type, name, passes: state === "ok" }));
    }),
  );
  return all.flat();
}
