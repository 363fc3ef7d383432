#!/usr/bin/env node
// Starts the command. Plain JavaScript that any Node since 18 reads: where the Node that runs it is older than 24, it hands
// over to the one that came with the packages. Runs the bundle; in a checkout whose sources are newer than the bundle,
// the TypeScript as it stands.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const bundle = join(here, "../dist/main.js");
const sources = join(here, "../src/main.ts");
const packages = join(here, "../..");

/** In a checkout: whether any source was changed after the bundle was made. A release has no sources. */
function bundleIsStale() {
  if (!existsSync(join(here, "../src"))) return false;
  if (!existsSync(bundle)) return true;
  const madeMs = statSync(bundle).mtimeMs;
  return readdirSync(packages).some((room) => {
    const folder = join(packages, room, "src");
    if (!existsSync(folder)) return false;
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.some(
      (entry) =>
        entry.isFile() &&
        !entry.name.endsWith(".test.ts") &&
        statSync(join(entry.parentPath, entry.name)).mtimeMs > madeMs,
    );
  });
}

if (Number(process.versions.node.split(".")[0]) >= 24) {
  module.enableCompileCache?.();
  // The cluster's processes run what the command that started them runs, and need not compare the times of all sources again.
  const told = process.env.SKIFF_MAIN;
  const main = told === bundle || told === sources ? told : bundleIsStale() ? sources : bundle;
  process.env.SKIFF_MAIN = main;
  await import(main);
} else {
  const node = join(dirname(module.createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`skiff needs Node 24: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
