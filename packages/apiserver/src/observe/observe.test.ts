import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "@skiff/base";
import { fakeExchange } from "../fixtures/fake-exchange.ts";
import { alice } from "../fixtures/objects.ts";
import { findRoute } from "../route-paths.ts";
import { basicChecks, healthRoutes, storeCheck } from "./health.ts";
import { metricsText } from "./metrics-text.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { startHooks } from "./start-hooks.ts";
import { versionDocument } from "./version.ts";

const broken = {
  name: "etcd",
  check: () => {
    throw new Error("disk full");
  },
};
const routes = healthRoutes({ healthz: basicChecks, livez: basicChecks, readyz: [...basicChecks, broken] });

test("health", async () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ["/healthz", 200, "ok"],
    ["/livez?verbose", 200, "[+]ping ok\n[+]log ok\nlivez check passed\n"],
    ["/readyz", 500, "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"],
    ["/readyz?exclude=etcd", 200, "ok"],
    ["/readyz?exclude=etcd&verbose", 200, "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nreadyz check passed\n"],
    ["/readyz/ping", 200, "ok"],
    ["/readyz/etcd", 500, "internal server error: disk full\n"],
    [
      "/livez?verbose&exclude=etcd&exclude=log",
      200,
      '[+]ping ok\n[+]log excluded: ok\nwarn: some health checks cannot be excluded: no matches for "etcd"\nlivez check passed\n',
    ],
  ];
  for (const [url, status, body] of cases) {
    const { exchange, answered } = fakeExchange({ url });
    await findRoute(routes, exchange.path)?.handle(exchange, { kind: "path", verb: "get", path: exchange.path }, alice);
    assert.deepEqual([answered.status, answered.body], [status, body], url);
  }
  assert.equal(findRoute(routes, "/readyz/nothing"), undefined);
});

test("a store that does not answer in time is not healthy", async () => {
  const clock = new VirtualClock();
  const checks = (answers: () => Promise<void>) => Promise.resolve(storeCheck("etcd", { clock, answers }).check());
  await checks(async () => {});
  await assert.rejects(
    checks(() => Promise.reject(new Error("away"))),
    new Error("away"),
  );
  const late = assert.rejects(
    checks(() => new Promise(() => {})),
    new Error("timed out"),
  );
  await clock.advance(2000);
  await late;
});

test("metrics", () => {
  const requests = new RequestMetrics();
  const labels = { group: "", version: "v1", resource: "pods", subresource: "", scope: "namespace" } as const;
  requests.begin({ verb: "LIST", ...labels })(200, 0.03, 100);
  requests.begin({ verb: "LIST", ...labels })(200, 100, 5000);
  requests.begin({ verb: "PUT", dryRun: "All", ...labels })(200, 0.01);
  requests.begin({ verb: "WATCH", ...labels });
  const finish = requests.begin({ verb: "POST", ...labels });
  const text = () => metricsText({ requests, revision: () => 42, startedMs: 5000, gitVersion: "v1.36.0", others: [] });
  const series =
    'component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"';
  for (const line of [
    `apiserver_request_total{code="200",dry_run="",${series}} 2`,
    `apiserver_request_duration_seconds_bucket{dry_run="",${series},le="0.025"} 0`,
    `apiserver_request_duration_seconds_bucket{dry_run="",${series},le="0.05"} 1`,
    `apiserver_request_duration_seconds_bucket{dry_run="",${series},le="+Inf"} 2`,
    `apiserver_request_duration_seconds_count{dry_run="",${series}} 2`,
    `apiserver_longrunning_requests{${series.replace("LIST", "WATCH")}} 1`,
    `apiserver_request_sli_duration_seconds_count{dry_run="",${series}} 2`,
    `apiserver_response_sizes_bucket{${series},le="1000"} 1`,
    `apiserver_response_sizes_bucket{${series},le="+Inf"} 2`,
    `apiserver_response_sizes_sum{${series}} 5100`,
    `apiserver_request_total{code="200",dry_run="All",${series.replace("LIST", "PUT")}} 1`,
    'apiserver_current_inflight_requests{request_kind="mutating"} 1',
    "skiff_store_revision 42",
    "process_start_time_seconds 5",
  ]) {
    assert.ok(text().includes(`${line}\n`), line);
  }
  finish(201, 0.001);
  assert.ok(text().includes('apiserver_current_inflight_requests{request_kind="mutating"} 0\n'));
});

test("the version", () => {
  const { major, minor, gitVersion, platform } = versionDocument("v1.36.0+skiff.0.1.0");
  assert.deepEqual([major, minor, gitVersion], ["1", "36", "v1.36.0+skiff.0.1.0"]);
  assert.match(platform ?? "", /^linux\//);
});

test("what is done at the start has Kubernetes' names, and waits for the bootstrap objects", async () => {
  let isBootstrapped = false;
  const hooks = startHooks(() => isBootstrapped);
  const started = healthRoutes({ healthz: hooks, livez: hooks, readyz: hooks });
  const ask = async (url: string) => {
    const { exchange, answered } = fakeExchange({ url });
    const info = { kind: "path", verb: "get", path: url } as const;
    await findRoute(started, exchange.path)?.handle(exchange, info, { name: "u", groups: [] });
    return answered;
  };
  const early = await ask("/readyz");
  assert.equal(early.status, 500);
  assert.match(early.body, /^\[-\]poststarthook\/rbac\/bootstrap-roles failed: reason withheld$/m);
  assert.match(early.body, /^\[\+\]poststarthook\/crd-informer-synced ok$/m);
  isBootstrapped = true;
  assert.equal((await ask("/readyz/poststarthook/rbac/bootstrap-roles")).body, "ok");
  assert.equal((await ask("/livez/autoregister-completion")).body, "ok");
});
