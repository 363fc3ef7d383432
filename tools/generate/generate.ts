/**
 * Writes `packages/api/src/generated` from a fact file: `npm run generate -- API.json`. The fact file is Kubernetes'
 * OpenAPI v2 document with the prose removed, plus a list of resources; what is generated is committed, so that nobody
 * needs the file to build or to run.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "./facts.ts";
import { definitionsModule, resourcesModule } from "./schema-table.ts";
import { typeModules } from "./types.ts";

const [factFile] = process.argv.slice(2);
if (factFile === undefined) {
  console.error("usage: npm run generate -- API.json");
  process.exit(2);
}
const facts: Facts = JSON.parse(readFileSync(factFile, "utf8"));
const folder = join(import.meta.dirname, "../../packages/api/src/generated");
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "types"), { recursive: true });
writeFileSync(join(folder, "definitions.ts"), definitionsModule(facts));
writeFileSync(join(folder, "resources.ts"), resourcesModule(facts));
for (const [file, text] of typeModules(facts)) writeFileSync(join(folder, "types", file), text);
