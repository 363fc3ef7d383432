import { head, line } from "../observe/metrics-text.ts";
import type { FlowControl } from "./flow-control.ts";
import type { PriorityLevel } from "./priority-level.ts";

const perLevel: readonly (readonly [name: string, help: string, value: (level: PriorityLevel) => number])[] = [
  ["current_executing_seats", "Seats that requests occupy now.", ({ seatsInUse }) => seatsInUse],
  ["nominal_limit_seats", "Seats that a level has whenever it needs them.", ({ shares }) => shares.nominal],
  ["lower_limit_seats", "Seats that a level never lends.", ({ shares }) => shares.nominal - shares.lendable],
  ["upper_limit_seats", "Seats that a level may have at most.", ({ shares }) => shares.nominal + shares.borrowable],
  [
    "current_limit_seats",
    "Seats that a level has or may have now.",
    ({ shares, borrowed }) => shares.nominal + borrowed,
  ],
];

/** What `/metrics` says of flow control. */
export function flowControlMetrics(flowControl: FlowControl): string {
  const levels = flowControl.levels();
  const schemas = flowControl.counts();
  const prefix = "apiserver_flowcontrol";
  const gauges = perLevel.map(([name, help, value]) => {
    const lines = levels.map((level) => line(`${prefix}_${name}`, { priority_level: level.name }, value(level)));
    return head(`${prefix}_${name}`, "gauge", help) + lines.join("");
  });
  const counted = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    pick: (item: (typeof schemas)[number]) => number,
  ) =>
    head(`${prefix}_${name}`, type, help) +
    schemas
      .map((item) => {
        const labels = { flow_schema: item.schema, priority_level: item.level };
        return line(`${prefix}_${name}`, labels, pick(item));
      })
      .join("");
  const rejected = schemas.flatMap(({ schema, level, refused }) =>
    Object.entries(refused).flatMap(([reason, times]) =>
      times === 0
        ? []
        : line(`${prefix}_rejected_requests_total`, { flow_schema: schema, priority_level: level, reason }, times),
    ),
  );
  return [
    ...gauges,
    counted("dispatched_requests_total", "counter", "Requests that were let in.", ({ dispatched }) => dispatched),
    counted("current_executing_requests", "gauge", "Requests that go on now.", ({ executing }) => executing),
    counted("current_inqueue_requests", "gauge", "Requests that wait now.", ({ waiting }) => waiting),
    head(`${prefix}_rejected_requests_total`, "counter", "Requests that were refused."),
    ...rejected,
  ].join("");
}
