/** What a command would do, as far as it can be told without running it. Pure. */
export interface Pretence {
  readonly stdout: string;
  readonly stderr: string;
  /** How long it takes, in milliseconds; `Infinity` for what does not end by itself. */
  readonly durationMs: number;
  readonly exitCode: number;
}

/** What a pretended command can see. */
export interface Surroundings {
  readonly hostname: string;
  readonly ip: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

const outcome = (stdout: string, exitCode = 0, durationMs = 0): Pretence => ({
  stdout,
  stderr: "",
  exitCode,
  durationMs,
});

const durationOf = (text: string | undefined): number => {
  if (text === "infinity" || text === "inf") return Number.POSITIVE_INFINITY;
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text ?? "") ?? [];
  const factors: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return amount === undefined ? 0 : Number(amount) * (factors[unit === "" ? "s" : unit] ?? 1000);
};

const isShell = (word: string | undefined): boolean => /^(\/bin\/|\/usr\/bin\/)?(sh|bash|ash)$/.test(word ?? "");

function single(words: readonly string[], around: Surroundings): Pretence | undefined {
  const [program = "", ...args] = words;
  switch (program.split("/").at(-1)) {
    case "true":
    case ":":
      return outcome("");
    case "false":
      return outcome("", 1);
    case "sleep":
      return outcome("", 0, durationOf(args[0]));
    case "echo":
      return outcome(`${args.join(" ")}\n`);
    case "hostname":
      return outcome(`${args[0] === "-i" ? around.ip : around.hostname}\n`);
    case "env":
    case "printenv":
      return outcome(around.env.map(({ name, value }) => `${name}=${value}\n`).join(""));
    case "id":
      return outcome("uid=0(root) gid=0(root) groups=0(root)\n");
    case "exit":
      return outcome("", Number(args[0] ?? 0) & 255);
    default:
      return undefined;
  }
}

/** A script of simple commands one after the other, as in `echo a; sleep 3 && exit 2`. */
function script(text: string, around: Surroundings): Pretence | undefined {
  let [stdout, durationMs, exitCode] = ["", 0, 0];
  for (const [, separator = ";", part = ""] of `;${text}`.matchAll(/(;|&&|\n)([^;&\n]*)/g)) {
    if (part.trim() === "" || (separator === "&&" && exitCode !== 0)) continue;
    const words = part
      .trim()
      .split(/\s+/)
      .map((word) => word.replaceAll(/^["']|["']$/g, ""));
    const step = single(words, around);
    if (step === undefined) return undefined;
    stdout += step.stdout;
    durationMs += step.durationMs;
    exitCode = step.exitCode;
    if (words[0] === "exit") break;
  }
  return outcome(stdout, exitCode, durationMs);
}

/** What becomes of a command line; `undefined` for what cannot be told. */
export function pretend(command: readonly string[], around: Surroundings): Pretence | undefined {
  if (isShell(command[0]) && command[1] === "-c") return script(command[2] ?? "", around);
  return single(command, around);
}

/** As `pretend`, for commands run by `exec`: what cannot be told says so plainly and fails. */
export function pretendExec(command: readonly string[], around: Surroundings): Pretence {
  const told = pretend(command, around);
  if (told !== undefined) return told;
  const stderr = `this container is simulated: ${command[0] ?? ""} cannot be run in it\n`;
  return { stdout: "", stderr, durationMs: 0, exitCode: 126 };
}
