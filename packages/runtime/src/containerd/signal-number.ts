import { constants } from "node:os";
import { RuntimeError } from "../runtime.ts";

const numbers = new Map(Object.entries(constants.signals));

/** The number of a signal as Kubernetes names it: `SIGUSR1`, `SIGRTMIN+3`, `SIGRTMAX-14`. */
export function signalNumber(name: string): number {
  const known = numbers.get(name === "SIGRTMIN" || name === "SIGRTMAX" ? `${name}+0` : name);
  if (known !== undefined) return known;
  const [, base, sign, distance] = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (base === undefined) throw new RuntimeError("INVALID_ARGUMENT", `unknown signal ${name}`);
  const offset = Number(distance ?? 0) * (sign === "-" ? -1 : 1);
  // As C libraries count: 32 and 33 are theirs.
  return (base === "MIN" ? 34 : 64) + offset;
}
