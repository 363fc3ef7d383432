/**
 * What the story tests stand on: the repository's own command and the machine's `kubectl`s, run as a user runs them, with
 * a home folder, a kubeconfig and ports of their own.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const launcher = join(import.meta.dirname, "../../bin/skiff.js");
const killBefore = join(import.meta.dirname, "kill-before.ts");

/** How a program ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with everything of one test's cluster. */
export class Workbench implements AsyncDisposable {
  readonly folder: string;
  readonly name: string;
  readonly environment: NodeJS.ProcessEnv;
  kubectlProgram = "kubectl";

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.name = name;
    this.environment = { ...process.env, KUBECONFIG: join(folder, "kubeconfig"), HOME: folder };
  }

  static async create(name: string): Promise<Workbench> {
    return new Workbench(await mkdtemp(join(tmpdir(), "skiff-story-")), name);
  }

  /** The same with a cluster, or nothing: what could not be started leaves nothing behind. */
  static async started(name: string, ...options: readonly string[]): Promise<Workbench> {
    await using stack = new AsyncDisposableStack();
    const bench = stack.use(await Workbench.create(name));
    const up = await bench.skiff("up", ...options);
    assert.equal(up.code, 0, up.stderr);
    stack.move();
    return bench;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.skiff("delete").catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The folder of all of its clusters. */
  get home(): string {
    return join(this.folder, "home");
  }

  /** Runs `skiff WORDS…`, whatever its exit code. */
  skiff(...words: readonly string[]): Promise<Outcome> {
    return this.run(process.execPath, this.#words(words));
  }

  /** The same, killed right before it makes, opens or renames something to a path that ends with `moment`. */
  async killedBefore(moment: string, ...words: readonly string[]): Promise<void> {
    const variables = { NODE_OPTIONS: `--import=${killBefore}`, KILL_BEFORE: moment };
    const { code, stderr } = await this.run(process.execPath, this.#words(words), "", variables);
    assert.equal(code, 137, `not killed before ${moment}\n${stderr}`);
  }

  readonly #words = (words: readonly string[]) => [launcher, ...words, "--home", this.home, "--name", this.name];

  /** Runs `kubectl WORDS…` to its end and gives what it wrote; fails the test when kubectl fails. */
  async kubectl(...words: readonly string[]): Promise<string> {
    const outcome = await this.run(this.kubectlProgram, words);
    assert.equal(outcome.code, 0, `kubectl ${words.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  }

  /** Runs a shell line with the test's kubeconfig. */
  shell(line: string, input = ""): Promise<Outcome> {
    return this.run("sh", ["-c", line], input);
  }

  /** The same on a terminal of `columns` × `rows`; what it writes comes together on `stdout`. */
  terminal(line: string, input: string, size = { columns: 100, rows: 40 }): Promise<Outcome> {
    const sized = `stty rows ${size.rows} cols ${size.columns}; ${line}`;
    return this.run("script", ["-qec", sized, "/dev/null"], input);
  }

  /** Starts a program that goes on; the caller ends it. */
  start(command: string, words: readonly string[], variables: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(command, words, {
      env: { ...this.environment, ...variables },
      cwd: this.folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  async run(
    command: string,
    words: readonly string[],
    input = "",
    variables: NodeJS.ProcessEnv = {},
  ): Promise<Outcome> {
    const child = this.start(command, words, variables);
    const chunks: { readonly out: Buffer[]; readonly err: Buffer[] } = { out: [], err: [] };
    child.stdout?.on("data", (chunk: Buffer) => chunks.out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.err.push(chunk));
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    const timer = setTimeout(() => child.kill("SIGKILL"), 300_000);
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit, signal) => resolve(exit ?? (signal === null ? 1 : 137)));
    });
    clearTimeout(timer);
    return { code, stdout: Buffer.concat(chunks.out).toString(), stderr: Buffer.concat(chunks.err).toString() };
  }

  /** Tries until `check` passes; after `limitMs` its last failure fails the test. */
  async eventually(what: string, check: () => Promise<void>, limitMs = 60_000): Promise<void> {
    const endMs = Date.now() + limitMs;
    for (;;) {
      try {
        await check();
        return;
      } catch (error) {
        if (Date.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}

/** All kubectls of this machine, the one on PATH first, then others beside it (`kubectl.1.27`, …). */
export function kubectls(): readonly string[] {
  const folders = [...new Set((process.env.PATH ?? "").split(":").filter(Boolean))];
  const runnable = (path: string) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const first = folders.map((folder) => join(folder, "kubectl")).find(runnable);
  const more = [...folders, "/usr/lib/google-cloud-sdk/bin"].flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((name) => /^kubectl\.\d+\.\d+$/.test(name))
        .map((name) => join(folder, name));
    } catch {
      return [];
    }
  });
  return [...new Set([...(first === undefined ? [] : [first]), ...more])].filter((path) => dirname(path) !== "");
}
