import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import type { Clock } from "@skiff/base";
import type { ProcessStreams, StreamOptions } from "../runtime.ts";
import { type Pretence, pretendExec, type Surroundings } from "./pretend-command.ts";

const nothing = () => Promise.resolve();

/** A shell that somebody types into: each line is pretended, `exit` or the end of the input ends it. */
function shell(options: StreamOptions, around: Surroundings): ProcessStreams {
  const stdout = new PassThrough();
  const prompt = () => (options.tty ? stdout.write("$ ") : true);
  const exit = Promise.withResolvers<number>();
  let pending = "";
  const end = (code: number) => {
    stdout.end();
    exit.resolve(code);
  };
  const line = (text: string) => {
    const words = text.trim().split(/\s+/);
    if (words[0] === "exit") return end(Number(words[1] ?? 0) & 255);
    if (words[0] !== "") {
      const { stdout: out, stderr } = pretendExec(["sh", "-c", text], around);
      stdout.write(out + stderr);
    }
    prompt();
  };
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (options.tty) stdout.write(chunk.toString().replaceAll("\r", "\r\n"));
      pending += chunk.toString();
      const lines = pending.split(/\r\n|\r|\n/);
      pending = lines.pop() ?? "";
      for (const one of lines) line(one);
      done();
    },
    final(done) {
      end(0);
      done();
    },
  });
  prompt();
  return { stdin, stdout, stderr: undefined, resize: nothing, exit: exit.promise, close: async () => end(137) };
}

/** A pretended command as a process with streams. */
export function execStreams(
  command: readonly string[],
  options: StreamOptions,
  around: Surroundings,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): ProcessStreams {
  if (command.length === 1 && /(^|\/)(sh|bash|ash)$/.test(command[0] ?? "")) return shell(options, around);
  const told: Pretence = pretendExec(command, around);
  const over = new AbortController();
  const ended = Math.min(told.durationMs, 2 ** 31 - 1);
  const exit =
    ended === 0
      ? Promise.resolve(told.exitCode)
      : clock.sleep(ended, AbortSignal.any([signal, over.signal])).then(
          () => told.exitCode,
          () => 137,
        );
  const out = (text: string) =>
    Readable.from(
      (async function* () {
        if (text !== "") yield Buffer.from(text);
        await exit;
      })(),
    );
  return {
    stdin: options.stdin ? new Writable({ write: (_chunk, _encoding, done) => done() }) : undefined,
    stdout: options.stdout ? out(told.stdout + (options.tty ? told.stderr : "")) : undefined,
    stderr: options.stderr && !options.tty ? out(told.stderr) : undefined,
    resize: nothing,
    exit,
    async close() {
      over.abort();
    },
  };
}

/** A container's own process: silent, until it ends or the caller lets go. */
export function attachedStreams(ended: Promise<number>, options: StreamOptions): ProcessStreams {
  const stdout = new PassThrough();
  const exit = Promise.withResolvers<number>();
  const end = (code: number) => {
    stdout.end();
    exit.resolve(code);
  };
  ended.then(end, () => end(0));
  return {
    stdin: options.stdin ? new Writable({ write: (_chunk, _encoding, done) => done() }) : undefined,
    stdout: options.stdout ? stdout : undefined,
    stderr: undefined,
    resize: nothing,
    exit: exit.promise,
    close: async () => end(0),
  };
}

/** A port that answers whatever it is asked with one small HTTP answer. */
export function simulatedPort(around: Surroundings): Duplex {
  const body = `Hello from ${around.hostname} (${around.ip}), simulated\n`;
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  let answered = false;
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (!answered) {
        answered = true;
        this.push(answer);
        this.push(null);
      }
      done();
    },
    final(done) {
      if (!answered) this.push(null);
      done();
    },
  });
}
