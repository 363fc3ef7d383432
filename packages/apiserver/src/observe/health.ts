import { refusals } from "@skiff/api";
import type { Exchange } from "../contracts.ts";
import type { PathRoute } from "../standard-parts-options.ts";

/** One condition of health. Throws (or rejects) while it does not hold. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void> | void;
}

type Endpoint = "healthz" | "livez" | "readyz";

const always = (name: string): HealthCheck => ({ name, check: () => {} });

/** Checks that every server has; `ping` says no more than that it answers. */
export const basicChecks: readonly HealthCheck[] = [always("ping"), always("log")];

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

function answer(exchange: Exchange, endpoint: Endpoint, outcomes: readonly Outcome[]): void {
  exchange.setHeader("x-content-type-options", "nosniff");
  const report = outcomes.map(({ name, state }) => lines[state](name)).join("");
  const failed = outcomes.some(({ state }) => state === "failed");
  if (failed) {
    exchange.respond({ status: 500, contentType: plain, body: `${report}${endpoint} check failed\n` });
    return;
  }
  const verbose = exchange.query.has("verbose");
  exchange.respond({ status: 200, contentType: plain, body: verbose ? `${report}${endpoint} check passed\n` : "ok" });
}

/** `/healthz`, `/livez`, `/readyz`, and each check below them by name. */
export function healthRoutes(checks: Readonly<Record<Endpoint, readonly HealthCheck[]>>): readonly PathRoute[] {
  const endpoints: readonly Endpoint[] = ["healthz", "livez", "readyz"];
  return endpoints.map(
    (endpoint): PathRoute => ({
      path: `/${endpoint}`,
      match: "prefix",
      async handle(exchange) {
        const name = exchange.path.replace(/\/+$/, "").slice(endpoint.length + 2);
        if (name === "") {
          const excluded = new Set(exchange.query.getAll("exclude"));
          answer(exchange, endpoint, await run(checks[endpoint], excluded));
          return;
        }
        const [check] = checks[endpoint].filter((item) => item.name === name);
        if (check === undefined) throw refusals.noSuchPath();
        answer(exchange, endpoint, await run([check], new Set()));
      },
    }),
  );
}
