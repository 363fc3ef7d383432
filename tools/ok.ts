/** The one gate: types, lint, tidy, tests. Stops at the first that fails. */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["types", "tsc", "--noEmit"],
  ["lint", "biome", "check", "--error-on-warnings", "."],
  ["tidy", "node", "tools/tidy/tidy.ts"],
  ["tests", "node", "tools/test.ts"],
];

for (const [name, command, ...args] of steps) {
  process.stdout.write(`== ${name}\n`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error !== undefined) process.stdout.write(`${name}: ${error.message}\n`);
  if (status !== 0) {
    process.stdout.write(`${name} failed\n`);
    process.exit(status ?? 1);
  }
}
