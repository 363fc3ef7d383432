import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  FlowSchemas,
  Pods,
  PriorityLevelConfigurations,
} from "@skiff/api";
import { VirtualClock } from "@skiff/base";
import type { RequestInfo, UserInfo } from "../contracts.ts";
import { fakeExchange } from "../fixtures/fake-exchange.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import { findRoute } from "../route-paths.ts";
import { aligned, flowControlRoutes } from "./debug-routes.ts";
import { enter } from "./enter.ts";
import { FlowControl } from "./flow-control.ts";
import { flowControlMetrics } from "./flow-control-metrics.ts";
import { dealHand } from "./shuffle-sharding.ts";

type Level = (typeof bootstrapPriorityLevels)[number];
type Schema = (typeof bootstrapFlowSchemas)[number];

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, "system:authenticated"] });
const get: RequestInfo = { kind: "resource", verb: "get", group: "", version: "v1", plural: "pods", namespace: "d" };
const list: RequestInfo = { ...get, verb: "list" };
const lease: RequestInfo = { ...get, group: "coordination.k8s.io", plural: "leases", namespace: "kube-system" };

/** Flow control with the objects that every cluster has, and others. */
function flowControl(
  options: { readonly seats?: number; readonly levels?: readonly Level[]; readonly schemas?: readonly Schema[] } = {},
) {
  const clock = new VirtualClock();
  const object = ({ name, spec }: Level | Schema) => ({ metadata: { ...clusterMeta(name), uid: `uid-${name}` }, spec });
  const table = fakeTable([
    [PriorityLevelConfigurations, (options.levels ?? bootstrapPriorityLevels).map(object)],
    [FlowSchemas, (options.schemas ?? bootstrapFlowSchemas).map(object)],
    [Pods, Array.from({ length: 1000 }, (_, at) => ({ metadata: namespacedMeta(`p${at}`) }))],
  ]);
  const { seats } = options;
  return { clock, table, control: new FlowControl({ table, clock, ...(seats === undefined ? {} : { seats }) }) };
}

const classes: readonly (readonly [UserInfo, RequestInfo, schema: string])[] = [
  [user("admin", "system:masters"), get, "exempt"],
  [{ name: "system:anonymous", groups: ["system:unauthenticated"] }, path("/livez"), "probes"],
  [{ name: "system:anonymous", groups: ["system:unauthenticated"] }, path("/version"), "global-default"],
  [user("system:kube-scheduler"), { ...lease, verb: "update" }, "system-leader-election"],
  [user("system:kube-scheduler"), get, "kube-scheduler"],
  [user("system:node:n", "system:nodes"), { ...get, plural: "nodes", namespace: undefined }, "system-node-high"],
  [user("system:node:n", "system:nodes"), get, "system-nodes"],
  [
    user("system:serviceaccount:kube-system:endpoint-controller", "system:serviceaccounts"),
    { ...get, plural: "endpoints" },
    "endpoint-controller",
  ],
  [user("system:serviceaccount:kube-system:a", "system:serviceaccounts"), get, "kube-system-service-accounts"],
  [user("system:serviceaccount:d:a", "system:serviceaccounts"), get, "service-accounts"],
  [user("alice"), get, "global-default"],
];

function path(of: string): RequestInfo {
  return { kind: "path", verb: "get", path: of };
}

for (const [who, request, schema] of classes) {
  test(`${who.name}'s ${request.verb} of ${request.kind === "path" ? request.path : request.plural}: ${schema}`, () => {
    assert.equal(flowControl().control.classify(who, request)?.schema.metadata.name, schema);
  });
}

test("without stored objects the mandatory ones hold", () => {
  const { control } = flowControl({ levels: [], schemas: [] });
  assert.equal(control.classify(user("alice"), get)?.schema.metadata.name, "catch-all");
  assert.equal(control.classify(user("a", "system:masters"), get)?.level.name, "exempt");
});

test("seats are shared out by nominal shares, and a schema without a level is passed over", () => {
  const { control } = flowControl({ levels: bootstrapPriorityLevels.filter(({ name }) => name !== "global-default") });
  assert.equal(control.classify(user("alice"), get)?.schema.metadata.name, "catch-all");
  const shares = new Map(
    flowControl()
      .control.levels()
      .map((level) => [level.name, level.shares]),
  );
  assert.deepEqual(shares.get("workload-low"), { nominal: 245, lendable: 221, borrowable: 600 });
  assert.deepEqual(shares.get("catch-all"), { nominal: 13, lendable: 0, borrowable: 600 });
  assert.deepEqual(shares.get("exempt"), { nominal: 0, lendable: 0, borrowable: 600 });
});

const own = (limited: object, by?: "ByUser"): { levels: readonly Level[]; schemas: readonly Schema[] } => ({
  levels: [{ name: "own", mandatory: false, spec: { type: "Limited", limited } }],
  schemas: [
    {
      name: "own",
      mandatory: false,
      spec: {
        priorityLevelConfiguration: { name: "own" },
        matchingPrecedence: 5,
        ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
        rules: [
          {
            subjects: [{ kind: "Group", group: { name: "system:authenticated" } }],
            resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"] }],
          },
        ],
      },
    },
  ],
});

const queue = (queues: number, handSize: number, queueLengthLimit: number) => ({
  type: "Queue",
  queuing: { queues, handSize, queueLengthLimit },
});

/** An exchange that notes how it was answered. */
function exchange(abort = new AbortController()) {
  const headers: Record<string, string> = {};
  const answered: { status?: number; body?: string } = {};
  return {
    headers,
    answered,
    abort,
    signal: abort.signal,
    query: new URLSearchParams(),
    setHeader(name: string, value: string) {
      headers[name] = value;
    },
    respond({ status, body }: { readonly status: number; readonly body: Uint8Array | string }) {
      answered.status = status;
      answered.body = String(body);
    },
  };
}

test("who finds no place is told to come again", async () => {
  const { control, table, clock } = flowControl({
    seats: 2,
    ...own({ nominalConcurrencyShares: 1000, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } }),
  });
  const gate = { flowControl: control, table, clock };
  const first = exchange();
  const entry = await enter(gate, first, get, user("alice"));
  await enter(gate, exchange(), get, user("alice"));
  assert.deepEqual(first.headers, {
    "x-kubernetes-pf-flowschema-uid": "uid-own",
    "x-kubernetes-pf-prioritylevel-uid": "uid-own",
  });
  const third = exchange();
  assert.equal((await enter(gate, third, get, user("alice"))).kind, "refused");
  assert.deepEqual(third.answered, { status: 429, body: "Too many requests, please try again later.\n" });
  assert.equal(third.headers["retry-after"], "1");
  const exempt = exchange();
  assert.equal((await enter(gate, exempt, get, user("admin", "system:masters"))).kind, "in");
  const connection: RequestInfo = { ...get, name: "p", subresource: "exec", verb: "connect" };
  assert.equal((await enter(gate, exchange(), connection, user("alice"))).kind, "in");
  if (entry.kind === "in") entry.leave();
  assert.equal((await enter(gate, exchange(), get, user("alice"))).kind, "in");
  const text = flowControlMetrics(control);
  for (const line of [
    'apiserver_flowcontrol_rejected_requests_total{flow_schema="own",priority_level="own",reason="concurrency-limit"} 1',
    'apiserver_flowcontrol_dispatched_requests_total{flow_schema="own",priority_level="own"} 3',
    'apiserver_flowcontrol_current_executing_requests{flow_schema="own",priority_level="own"} 2',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test("a wide list takes several seats; who waits too long, or goes away, waits no more", async () => {
  const { control, table, clock } = flowControl({
    seats: 10,
    ...own({ nominalConcurrencyShares: 1000, borrowingLimitPercent: 0, limitResponse: queue(1, 1, 10) }),
  });
  const gate = { flowControl: control, table, clock };
  const wide = await enter(gate, exchange(), { ...list, namespace: "default" }, user("alice"));
  const [level] = control.levels().filter(({ name }) => name === "own");
  assert.equal(level?.seatsInUse, 10);
  const late = exchange();
  const gone = exchange();
  const waiting = Promise.resolve(enter(gate, late, get, user("alice")));
  const leaving = Promise.resolve(enter(gate, gone, get, user("alice")));
  assert.equal(level?.waiting, 2);
  gone.abort.abort();
  assert.equal((await leaving).kind, "refused");
  assert.equal(gone.answered.status, undefined);
  await clock.advance(15_000);
  assert.equal((await waiting).kind, "refused");
  assert.equal(late.answered.status, 429);
  assert.equal(level?.waiting, 0);
  if (wide.kind === "in") wide.leave();
  assert.equal(level?.seatsInUse, 0);
});

test("one user's flood does not keep another's few requests waiting", async () => {
  const { control, table, clock } = flowControl({
    seats: 4,
    ...own({ nominalConcurrencyShares: 1000, borrowingLimitPercent: 0, limitResponse: queue(64, 4, 50) }, "ByUser"),
  });
  const gate = { flowControl: control, table, clock };
  const served: { who: string; atMs: number; sentMs: number }[] = [];
  let refusals = 0;
  const ask = async (who: string): Promise<void> => {
    const sentMs = clock.monotonic();
    const entry = await enter(gate, exchange(), get, user(who));
    if (entry.kind === "refused") {
      refusals++;
      return;
    }
    clock.after(10, () => {
      served.push({ who, sentMs, atMs: clock.monotonic() });
      entry.leave();
    });
  };
  const asked: Promise<void>[] = [];
  // 4 seats of 10 ms each serve 400 requests a second: the elephant asks for ten times as many.
  for (let step = 0; step < 100; step++) {
    for (let at = 0; at < 40; at++) asked.push(ask("elephant"));
    if (step % 10 === 0) asked.push(ask("mouse"));
    await clock.advance(10);
  }
  await clock.advance(20_000);
  await Promise.all(asked);
  const mice = served.filter(({ who }) => who === "mouse");
  assert.equal(mice.length, 10, "no request of the mouse was refused");
  assert.ok(refusals > 3000, `the elephant was refused ${refusals} times`);
  const worst = Math.max(...mice.map(({ sentMs, atMs }) => atMs - sentMs));
  assert.ok(worst <= 40, `the mouse waited ${worst} ms`);
});

test("a level borrows what others leave, up to its limit, and gives it back", async () => {
  const levels: readonly Level[] = [
    {
      name: "own",
      mandatory: false,
      spec: {
        type: "Limited",
        limited: {
          nominalConcurrencyShares: 10,
          lendablePercent: 0,
          borrowingLimitPercent: 50,
          limitResponse: queue(1, 1, 50),
        },
      },
    },
    {
      name: "other",
      mandatory: false,
      spec: {
        type: "Limited",
        limited: { nominalConcurrencyShares: 10, lendablePercent: 80, limitResponse: queue(1, 1, 50) },
      },
    },
    { name: "catch-all", mandatory: true, spec: { type: "Limited", limited: { nominalConcurrencyShares: 0 } } },
    { name: "exempt", mandatory: true, spec: { type: "Exempt", exempt: {} } },
  ];
  const { control } = flowControl({ seats: 20, levels });
  const [mine, other] = ["own", "other"].map((wanted) => control.levels().find(({ name }) => name === wanted));
  const started = (level: typeof mine, count: number) =>
    Array.from({ length: count }, () => level?.admit("flow", 1)).filter((item) => item?.kind === "started");
  assert.equal(started(mine, 20).length, 15, "ten of its own and half as many again");
  const theirs = started(other, 20);
  assert.equal(theirs.length, 10, "the lender has its own whenever it needs them");
});

test("hands are dealt the same for a flow, different ones, evenly", () => {
  assert.deepEqual(dealHand("a", 64, 6), dealHand("a", 64, 6));
  const used = new Map<number, number>();
  for (let at = 0; at < 2000; at++) {
    const hand = dealHand(`flow ${at}`, 16, 4);
    assert.equal(new Set(hand).size, 4);
    for (const card of hand) used.set(card, (used.get(card) ?? 0) + 1);
  }
  assert.equal(used.size, 16);
  for (const times of used.values()) assert.ok(times > 350 && times < 650, String(times));
});

test("administrators see levels and queues", async () => {
  assert.equal(
    aligned([
      ["A", "B"],
      ["long name", 1],
    ]),
    "A,         B\nlong name, 1\n",
  );
  const routes = flowControlRoutes(flowControl().control);
  const show = async (name: string) => {
    const { exchange: asked, answered } = fakeExchange({ url: `/debug/api_priority_and_fairness/${name}` });
    await findRoute(routes, asked.path)?.handle(asked, path(asked.path), user("admin"));
    return String(answered.body);
  };
  assert.match(
    await show("dump_priority_levels"),
    /^PriorityLevelName, ActiveQueues, IsIdle, .*\n(.*\n)*workload-low, +0, +true, +false, +0, +0\n/,
  );
  assert.match(await show("dump_queues"), /\nexempt, +<none>, /);
  assert.match(await show("dump_requests"), /^PriorityLevelName, FlowSchemaName, /);
});
