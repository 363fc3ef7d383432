import type { RequestInfo, ResourceTable } from "../contracts.ts";

const mostSeats = 10;
/** A list takes one seat for so many objects that are looked at. */
const objectsPerSeat = 100;

/** How many seats a request takes while it goes on. */
export function seatsOf(
  request: RequestInfo,
  exchange: { readonly query: URLSearchParams },
  table: ResourceTable,
): number {
  if (request.kind === "path" || (request.verb !== "list" && request.verb !== "watch")) return 1;
  // A watch that begins with what is there is a list as well.
  const { query } = exchange;
  if (request.verb === "watch" && query.get("sendInitialEvents") !== "true") return 1;
  const count = table.find(request)?.count(request.namespace) ?? 0;
  const limit = Number(query.get("limit") ?? 0);
  const looked = !(limit > 0) ? count : Math.min(count, limit);
  return Math.max(1, Math.min(mostSeats, Math.ceil(looked / objectsPerSeat)));
}
