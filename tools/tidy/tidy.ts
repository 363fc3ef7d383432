/**
 * What the compiler and the linter cannot see: rooms that import past their neighbours, files that have grown too large,
 * calls that bypass the injected clock, names that say nothing. Prints one line a finding; exits 1 when there are any.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { bannedCalls, rooms } from "./rooms.ts";

const root = join(import.meta.dirname, "../..");
const maxLines = 400;
const ninthDecileLines = 250;
const emptyNames = /(?:^|-)(?:utils?|helpers?|managers?|impl|common|misc)(?:-|\.)/;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly isTest: boolean;
}

function sourcesOf(room: string): Source[] {
  const folder = join(root, "packages", room, "src");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes("/generated/"))
    .map((path) => ({
      path: relative(root, path),
      room,
      text: readFileSync(path, "utf8"),
      isTest: /\.test\.ts$|\/conformance(?:\.ts|\/)|\/fixtures?\//.test(path),
    }));
}

function importFindings({ path, room, text, isTest }: Source): string[] {
  const allowed = rooms[room] ?? [];
  const findings: string[] = [];
  for (const [, specifier = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    const target = /^@skiff\/([\w-]+)(\/.*)?$/.exec(specifier);
    if (target !== null) {
      const [, name = "", deeper] = target;
      if (deeper !== undefined && !isTest) findings.push(`${path}: reaches past the front door: ${specifier}`);
      if (name !== room && !allowed.includes(name) && !isTest) findings.push(`${path}: ${room} may not import ${name}`);
    } else if (specifier.startsWith(".")) {
      const up = specifier.split("/").filter((part) => part === "..").length;
      const depth = path.split("/").length - 4;
      if (up > depth) findings.push(`${path}: leaves its room by a relative path: ${specifier}`);
    }
  }
  return findings;
}

function callFindings({ path, room, text, isTest }: Source): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "));
  const findings: string[] = [];
  code.split("\n").forEach((line, index) => {
    const bare = line.replace(/\/\/.*$/, "");
    for (const { pattern, instead, allowedIn, allowedInTests } of bannedCalls) {
      if (allowedIn.includes(room) || (isTest && allowedInTests) || !pattern.test(bare)) continue;
      findings.push(`${path}:${index + 1}: banned here, use ${instead}: ${line.trim()}`);
    }
  });
  return findings;
}

function shapeFindings(sources: readonly Source[]): string[] {
  const findings: string[] = [];
  const sizes: number[] = [];
  for (const { path, text, isTest } of sources) {
    const name = basename(path);
    if (!/^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(name)) findings.push(`${path}: file names are kebab-case`);
    if (emptyNames.test(name)) findings.push(`${path}: the name says nothing about what is in it`);
    if (name === "index.ts" && path.split("/").length !== 4)
      findings.push(`${path}: index.ts only at a room's front door`);
    const lines = text.split("\n").length;
    if (lines > maxLines && !isTest) findings.push(`${path}: ${lines} lines; ${maxLines} at most`);
    if (!isTest) sizes.push(lines);
  }
  sizes.sort((a, b) => a - b);
  const decile = sizes[Math.floor(sizes.length * 0.9)] ?? 0;
  if (decile > ninthDecileLines)
    findings.push(`a tenth of all files is longer than ${decile} lines; ${ninthDecileLines} at most`);
  return findings;
}

const known = Object.keys(rooms);
const present = readdirSync(join(root, "packages"));
const unknown = present
  .filter((room) => !known.includes(room))
  .map((room) => `packages/${room}: not in tools/tidy/rooms.ts`);
const sources = known.flatMap(sourcesOf);
const findings = [
  ...unknown,
  ...sources.flatMap(importFindings),
  ...sources.flatMap(callFindings),
  ...shapeFindings(sources),
];
for (const finding of findings) process.stdout.write(`${finding}\n`);
process.stdout.write(`tidy: ${sources.length} files, ${findings.length} findings\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
