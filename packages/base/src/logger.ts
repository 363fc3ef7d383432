import type { Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Facts that go with a log line; errors are written with their causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes what a process does, one line an entry: time, level, name, message, `key=value`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry a further part of the name, as in `kubelet.images`. */
  named(name: string): Logger;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** A logger that writes lines (without line end) of `level` and above to `write`. */
export function createLogger(options: {
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly level: LogLevel;
  readonly name?: string;
}): Logger {
  const { clock, write, name } = options;
  const at = (level: LogLevel) => {
    if (levels.indexOf(level) < levels.indexOf(options.level)) return () => {};
    return (message: string, fields: LogFields = {}) => {
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${logValue(value)}`);
      const who = name === undefined ? "" : ` ${name}`;
      write(
        `${new Date(clock.now()).toISOString()} ${level.toUpperCase().padEnd(5)}${who} ${message}${pairs.join("")}`,
      );
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    named: (part) => createLogger({ ...options, name: name === undefined ? part : `${name}.${part}` }),
  };
}

function logValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(describeError(value));
  if (typeof value === "string") return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? String(value);
}

/** An error's message with the messages of its causes: `pull failed: connect ECONNREFUSED`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}

const silent = () => {};

/** Says nothing: for tests. */
export const silentLogger: Logger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  named: () => silentLogger,
};
