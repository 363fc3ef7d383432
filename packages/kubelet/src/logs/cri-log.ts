/** A line of a container's log as runtimes write it: `2026-01-02T03:04:05.123456789Z stdout F text`. */
export interface LogLine {
  /** As the runtime wrote it: without the zeros at the fraction's end, in the runtime's own time zone. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** The process' line goes on in the next entry. */
  readonly partial: boolean;
  readonly text: Buffer;
}

const written = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/** Reads one line; `undefined` for what is not in the format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(32);
  const second = line.indexOf(32, first + 1);
  if (first <= 0 || second === -1) return undefined;
  const third = line.indexOf(32, second + 1);
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const time = line.toString("latin1", 0, first);
  if (!written.test(time)) return undefined;
  const tags = line.toString("latin1", second + 1, third === -1 ? line.length : third).split(":");
  return {
    time,
    stream,
    partial: tags[0] === "P",
    text: third === -1 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}

/** The time of a line as readers are shown it: always nine digits of a second, so that times have one width. */
export const shownTime = ({ time }: Pick<LogLine, "time">): string =>
  time.replace(written, (_, seconds: string, fraction = "", zone: string) => {
    const nanoseconds = fraction.slice(0, 9).padEnd(9, "0");
    return `${seconds}.${nanoseconds}${zone === "+00:00" ? "Z" : zone}`;
  });

/** The time of a line in milliseconds since 1970, whole ones. */
export const lineTimeMs = (line: Pick<LogLine, "time">): number => Date.parse(line.time);
