/**
 * Bundles the command for a release into `packages/cli/dist`: one entry and shared chunks, so that a process loads only
 * what its command needs. `npm pack -w skiff` runs it and packs the result with the launcher. Native packages stay outside.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const cli = join(import.meta.dirname, "../../packages/cli");
const outdir = join(cli, "dist");

rmSync(outdir, { recursive: true, force: true });
const result = await build({
  entryPoints: { main: join(cli, "src/main.ts") },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: "linked",
  external: ["lmdb", "bufferutil", "utf-8-validate"],
  // CommonJS packages in the bundle ask for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  metafile: true,
  logLevel: "warning",
});
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${Object.keys(result.metafile.outputs).length} files, ${Math.round(bytes / 1024)} KiB\n`);
