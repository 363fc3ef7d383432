/** A line of a container's log as runtimes write it: `2026-01-02T03:04:05.123456789Z stdout F text`. */
export interface LogLine {
  /** As written, nanoseconds and all. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** The process' line goes on in the next entry. */
  readonly partial: boolean;
  readonly text: Buffer;
}

/** Reads one line; `undefined` for what is not in the format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(32);
  const second = line.indexOf(32, first + 1);
  if (first <= 0 || second === -1) return undefined;
  const third = line.indexOf(32, second + 1);
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tags = line.toString("latin1", second + 1, third === -1 ? line.length : third).split(":");
  return {
    time: line.toString("latin1", 0, first),
    stream,
    partial: tags[0] === "P",
    text: third === -1 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}

/** The time of a line in milliseconds since 1970. */
export const lineTimeMs = (line: Pick<LogLine, "time">): number => Date.parse(line.time);
