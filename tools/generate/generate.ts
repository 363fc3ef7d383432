/**
 * Writes `packages/api/src/generated` from two fact files: `npm run generate -- API.json PROTOBUF.json`. The first is Kubernetes'
 * OpenAPI v2 document with the prose removed, plus a list of resources; the second has the numbers and types of the fields
 * of its protobuf messages. What is generated is committed, so that nobody needs the files to build or to run.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "./facts.ts";
import { type ProtobufFacts, protobufModule } from "./protobuf.ts";
import { definitionsModule, resourcesModule } from "./schema-table.ts";
import { typeModules } from "./types.ts";

const [factFile, protobufFile] = process.argv.slice(2);
if (factFile === undefined || protobufFile === undefined) {
  console.error("usage: npm run generate -- API.json PROTOBUF.json");
  process.exit(2);
}
const facts: Facts = JSON.parse(readFileSync(factFile, "utf8"));
const protobuf: ProtobufFacts = JSON.parse(readFileSync(protobufFile, "utf8"));
const folder = join(import.meta.dirname, "../../packages/api/src/generated");
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "types"), { recursive: true });
writeFileSync(join(folder, "definitions.ts"), definitionsModule(facts));
writeFileSync(join(folder, "resources.ts"), resourcesModule(facts));
writeFileSync(join(folder, "protobuf.ts"), protobufModule(facts, protobuf));
for (const [file, text] of typeModules(facts)) writeFileSync(join(folder, "types", file), text);
