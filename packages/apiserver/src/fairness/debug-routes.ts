import type { PathRoute } from "../standard-parts-options.ts";
import type { FlowControl } from "./flow-control.ts";
import type { PriorityLevel } from "./priority-level.ts";

type Row = readonly (string | number | boolean)[];

/** Columns that stand under each other: at least eight wide, with a comma after each but the last. */
export function aligned(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((cell, at) => (at < row.length - 1 ? `${cell},` : String(cell))));
  const widths = (cells[0] ?? []).map((_, at) => Math.max(8, ...cells.map((row) => (row[at]?.length ?? 0) + 1)));
  return cells
    .map((row) => row.map((cell, at) => (at < row.length - 1 ? cell.padEnd(widths[at] ?? 0) : cell)).join(""))
    .map((line) => `${line}\n`)
    .join("");
}

const none = (count: number): string[] => Array.from({ length: count }, () => "<none>");

const levelRow = (level: PriorityLevel): Row =>
  level.queues === undefined
    ? [level.name, ...none(5)]
    : [
        level.name,
        level.queues.filter(({ waiting }) => waiting.length > 0).length,
        level.executing === 0 && level.waiting === 0,
        false,
        level.waiting,
        level.executing,
      ];

const queueRows = (level: PriorityLevel): readonly Row[] =>
  level.queues === undefined
    ? [[level.name, ...none(8)]]
    : level.queues.map(({ index, waiting, executing, seatsInUse, servedUntil }) => {
        const seats = waiting.reduce((sum, request) => sum + request.seats, 0);
        const turn = `${(servedUntil / 1000).toFixed(8)}ss`;
        return [level.name, index, waiting.length, executing, seatsInUse, turn, seats, seats, `${seats}ss`];
      });

const requestRows = (level: PriorityLevel): readonly Row[] =>
  (level.queues ?? []).flatMap(({ index, waiting }) =>
    waiting.map((request, at) => {
      const [schema = "", ...flow] = request.flow.split(" ");
      return [level.name, schema, index, at, flow.join(" "), request.arrivedAt, request.seats, 0, "0s"];
    }),
  );

const pages: Readonly<Record<string, { readonly head: Row; rows(level: PriorityLevel): readonly Row[] }>> = {
  dump_priority_levels: {
    head: ["PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests"],
    rows: (level) => [levelRow(level)],
  },
  dump_queues: {
    head: [
      "PriorityLevelName",
      "Index",
      "PendingRequests",
      "ExecutingRequests",
      "SeatsInUse",
      "NextDispatchR",
      "InitialSeatsSum",
      "MaxSeatsSum",
      "TotalWorkSum",
    ],
    rows: queueRows,
  },
  dump_requests: {
    head: [
      "PriorityLevelName",
      "FlowSchemaName",
      "QueueIndex",
      "RequestIndexInQueue",
      "FlowDistingsher",
      "ArriveTime",
      "InitialSeats",
      "FinalSeats",
      "AdditionalLatency",
    ],
    rows: requestRows,
  },
};

/** `/debug/api_priority_and_fairness/…`: what levels, queues and waiting requests there are at this moment. */
export const flowControlRoutes = (flowControl: FlowControl): readonly PathRoute[] =>
  Object.entries(pages).map(([name, { head, rows }]) => ({
    path: `/debug/api_priority_and_fairness/${name}`,
    match: "exact",
    isUnlisted: true,
    handle: async (exchange) =>
      exchange.respond({
        status: 200,
        contentType: "text/plain; charset=utf-8",
        body: aligned([head, ...flowControl.levels().flatMap(rows)]),
      }),
  }));
