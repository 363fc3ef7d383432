import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Where simulated containers' output goes, by the path of the log file. */
export interface ContainerLogs {
  append(path: string, text: string): void;
}

/** Real files, as the kubelet reads them. */
export const fileLogs: ContainerLogs = {
  append(path, text) {
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, text);
  },
};

/** In memory; only the last part of each log is kept. */
export class MemoryLogs implements ContainerLogs {
  readonly #texts = new Map<string, string>();
  readonly #limit: number;

  /** `limit`: characters kept per log. */
  constructor(limit = 16_384) {
    this.#limit = limit;
  }

  append(path: string, text: string): void {
    this.#texts.set(path, ((this.#texts.get(path) ?? "") + text).slice(-this.#limit));
  }

  /** What a log holds; empty where there is none. */
  read(path: string): string {
    return this.#texts.get(path) ?? "";
  }
}

/** Output as the CRI's log format has it: time, stream, `F` for a whole line, text. */
export function logLines(text: string, stream: "stdout" | "stderr", nowMs: number): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 23)}000000Z`;
  const lines = text.endsWith("\n") ? text.slice(0, -1) : text;
  return lines === "" && text === ""
    ? ""
    : lines
        .split("\n")
        .map((line) => `${time} ${stream} F ${line}\n`)
        .join("");
}
