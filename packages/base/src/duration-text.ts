/** A duration as Go prints it, to the millisecond: `10s`, `1m20s`, `5m0s`, `1.234s`, `87ms`. */
export function durationText(milliseconds: number): string {
  const ms = Math.round(milliseconds);
  if (ms < 1000) return ms === 0 ? "0s" : `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  if (minutes === 0) return `${seconds}s`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${seconds}s` : `${hours}h${minutes % 60}m${seconds}s`;
}
