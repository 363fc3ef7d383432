const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const yearMs = 365 * dayMs;

/**
 * A duration as `kubectl` shows it: two units at most, fewer the longer it is. `45s`, `3m20s`, `15m`, `2h5m`, `9h`, `2d3h`,
 * `45d`, `3y20d`, `9y`.
 */
export function humanDuration(durationMs: number): string {
  if (durationMs < -2 * secondMs) return "<invalid>";
  if (durationMs < 0) return "0s";
  const seconds = Math.floor(durationMs / secondMs);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(durationMs / minuteMs);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(durationMs / hourMs);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return two(Math.floor(hours / 24), "d", hours % 24, "h");
  const days = Math.floor(durationMs / dayMs);
  if (days < 730) return `${days}d`;
  const years = Math.floor(durationMs / yearMs);
  if (years < 8) return two(years, "y", days % 365, "d");
  return `${years}y`;
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;

/** How long ago a timestamp was, `<unknown>` where there is none. */
export function since(at: string | undefined | null, nowMs: number): string {
  const atMs = at === undefined || at === null ? Number.NaN : Date.parse(at);
  return Number.isNaN(atMs) ? "<unknown>" : humanDuration(nowMs - atMs);
}
