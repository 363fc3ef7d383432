import { refusals } from "@skiff/api";

/** No request that comes to an end by itself takes longer. */
export const requestTimeoutMs = 60_000;

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Go writes it (`1m30s`), or what Go says is wrong with it. */
export function parseDuration(text: string): number | string {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") return `time: invalid duration ${quoted}`;
  let sumMs = 0;
  while (rest !== "") {
    const number = /^(?:\d+(?:\.\d*)?|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return `time: invalid duration ${quoted}`;
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return `time: missing unit in duration ${quoted}`;
    const unitMs = unitsMs[unit];
    if (unitMs === undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    sumMs += Number(number) * unitMs;
    rest = rest.slice(unit.length);
  }
  return sign * sumMs;
}

/** How long a request may take, as its `timeout` asks; `undefined` for the usual time. Throws 400 for what is no duration. */
export function requestedTimeout(query: URLSearchParams): number | undefined {
  const text = query.get("timeout");
  if (text === null || text === "") return undefined;
  const timeoutMs = parseDuration(text);
  if (typeof timeoutMs === "string") {
    throw refusals.badRequest(`invalid timeout specified in the request URL - ${timeoutMs}`);
  }
  return timeoutMs > 0 && timeoutMs < requestTimeoutMs ? timeoutMs : undefined;
}
