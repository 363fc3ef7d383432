import type { RequestInfo, ResourceTable } from "../contracts.ts";

const mostSeats = 10;
/** A list takes one seat for so many objects that are looked at. */
const objectsPerSeat = 100;

/** How many seats a request takes while it goes on. */
export function seatsOf(request: RequestInfo, limitText: () => string | null, table: ResourceTable): number {
  if (request.kind === "path" || request.verb !== "list") return 1;
  const count = table.find(request)?.count(request.namespace) ?? 0;
  const limit = Number(limitText() ?? 0);
  const looked = !(limit > 0) ? count : Math.min(count, limit);
  return Math.max(1, Math.min(mostSeats, Math.ceil(looked / objectsPerSeat)));
}
