import type { Clock } from "@skiff/base";

/** Where text goes: standard error, or a test's list. */
export interface TextSink {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Tells a person what is going on while a command works. */
export interface Progress {
  /** Says that a step has begun; it ends when the next one begins, or at `done`. */
  step(text: string): void;
  /** A line that is no step. */
  note(text: string): void;
  /** Ends the last step well. */
  done(): void;
  /** Ends the last step badly. */
  failed(): void;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 80;

/** Steps with their times: a spinner on a terminal, one plain line a step elsewhere. */
export function createProgress(sink: TextSink, clock: Clock): Progress {
  let current: { readonly text: string; readonly startMs: number; readonly stop: () => void } | undefined;
  const seconds = (startMs: number) => `${((clock.monotonic() - startMs) / 1000).toFixed(2)} s`;
  const end = (mark: string) => {
    if (current === undefined) return;
    current.stop();
    const line = `${mark} ${current.text} (${seconds(current.startMs)})\n`;
    sink.write(sink.isTerminal ? `\r\u001b[2K${line}` : line);
    current = undefined;
  };
  return {
    step(text) {
      end("✓");
      current = { text, startMs: clock.monotonic(), stop: sink.isTerminal ? spin(sink, clock, text) : () => {} };
    },
    note(text) {
      if (sink.isTerminal && current !== undefined) sink.write("\r\u001b[2K");
      sink.write(`${text}\n`);
    },
    done: () => end("✓"),
    failed: () => end("✗"),
  };
}

function spin(sink: TextSink, clock: Clock, text: string): () => void {
  let frame = 0;
  let stopped = false;
  let timer = clock.after(0, draw);
  function draw(): void {
    if (stopped) return;
    sink.write(`\r${frames[frame++ % frames.length]} ${text}`);
    timer = clock.after(frameMs, draw);
  }
  return () => {
    stopped = true;
    timer.cancel();
  };
}

/** Says nothing: with `-o json`, where only the answer counts. */
export const noProgress: Progress = { step() {}, note() {}, done() {}, failed() {} };
