/**
 * Bundles the command for a release into `packages/cli/dist`: one entry and shared chunks, so that a process loads only
 * what its command needs. `npm pack -w skiff` runs it and packs the result with the launcher. Native packages stay outside.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { builtinModules } from "./builtin-modules.ts";
import { compressedDescriptions } from "./descriptions.ts";

const root = join(import.meta.dirname, "../..");
const cli = join(root, "packages/cli");
const outdir = join(cli, "dist");

const result = await build({
  // Names of chunks depend on it: `npm pack` runs this in another folder than `npm ci` does.
  absWorkingDir: root,
  entryPoints: { main: join(cli, "src/main.ts") },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  external: ["lmdb", "bufferutil", "utf-8-validate"],
  // CommonJS packages in the bundle ask for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [builtinModules],
  write: false,
  logLevel: "warning",
});

// Chunks are named after what is in them. Those that stay the same stay in place, for processes that run from them.
mkdirSync(outdir, { recursive: true });
const present = new Set(readdirSync(outdir));
for (const { path, contents } of result.outputFiles) {
  const name = basename(path);
  if (!present.delete(name) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
}
const descriptions = compressedDescriptions();
if (descriptions !== undefined) {
  writeFileSync(join(outdir, "descriptions.json.gz"), descriptions);
  present.delete("descriptions.json.gz");
}
for (const stale of present) rmSync(join(outdir, stale));
// The launcher compares this file's time with that of the sources.
const now = new Date();
utimesSync(join(outdir, "main.js"), now, now);
const bytes = result.outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
process.stdout.write(`dist: ${result.outputFiles.length} files, ${Math.round(bytes / 1024)} KiB\n`);
