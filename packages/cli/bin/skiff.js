#!/usr/bin/env node
// Starts the command. Plain JavaScript that any Node since 18 reads: where the Node that runs it is older than 24, it hands
// over to the one that came with the packages. In a release the command is one bundle beside this file; in a checkout
// the TypeScript runs as it stands.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire, enableCompileCache } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const bundle = join(here, "../dist/main.js");

if (Number(process.versions.node.split(".")[0]) >= 24) {
  enableCompileCache?.();
  await import(existsSync(bundle) ? bundle : join(here, "../src/main.ts"));
} else {
  const node = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`skiff needs Node 24: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
