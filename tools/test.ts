/**
 * Runs the tests: `npm test [-- PATTERN… --update]`; `--update` writes the files anew that goldens are compared with. Plain tests run side by side; tests on a real etcd (`*.etcd.test.ts`) come after
 * them where there is one, then tests on real containers (`*.containers.test.ts`), one file at a time, where they can run at
 * all: as root on Linux. System packages that these need are installed on Debian's family. Ends with the line `N passed, N failed`.
 */
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { allRequirements, installCommand, type Requirement, systemPackages } from "@skiff/host";

const root = join(import.meta.dirname, "..");
process.chdir(root);
const patterns = process.argv.slice(2).filter((word) => word !== "--update");
if (process.argv.includes("--update")) process.env.SKIFF_UPDATE = "yes";
const wanted = (file: string) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern));
const files = [
  ...globSync("packages/*/src/**/*.test.ts"),
  ...globSync("packages/*/tests/**/*.test.ts"),
  ...globSync("tools/**/*.test.ts"),
]
  .filter(wanted)
  .sort();
const onContainers = files.filter((file) => file.endsWith(".containers.test.ts"));
const onEtcd = files.filter((file) => file.endsWith(".etcd.test.ts"));
const plain = files.filter((file) => !onContainers.includes(file) && !onEtcd.includes(file));

const totals = { passed: 0, failed: 0 };
/** What failed is told again at the end: the report of the first tests is far above by then. */
const failures: string[] = [];

interface Limits {
  readonly concurrency: number;
  /** For one test. */
  readonly testMs: number;
  /** For all files together: what then still runs (a test that left something open) is ended and counts as failed. */
  readonly allMs: number;
}

async function runFiles(list: readonly string[], { concurrency, testMs, allMs }: Limits): Promise<void> {
  if (list.length === 0) return;
  const stream = run({
    files: list.map((file) => join(root, file)),
    concurrency,
    timeout: testMs,
    signal: AbortSignal.timeout(allMs),
  });
  stream.on("test:pass", (event) => {
    if (event.details.type !== "suite") totals.passed++;
  });
  stream.on("test:fail", (event) => {
    const { error, type } = event.details;
    // A suite fails with its tests, or because what is before or after them fails: its tests do not know why, then.
    if (type === "suite" && !("failureType" in error && error.failureType === "hookFailed")) return;
    if (type !== "suite") totals.failed++;
    const { cause, message } = error;
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : message;
    failures.push(`${relative(root, event.file ?? root)}:${event.line ?? 0} ${event.name}\n${why}\n`);
  });
  const report = stream.compose(spec);
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => {
    report.on("end", resolve);
    report.on("error", reject);
  });
}

async function canRunContainers(): Promise<boolean> {
  if (process.platform === "linux" && process.getuid?.() === 0)
    return await have("real containers", [...allRequirements, "docker-registry", "nfs-ganesha", "libnfs-utils"]);
  process.stdout.write("tests on real containers need root on Linux: not run here\n");
  return false;
}

/** Whether the system has what some tests need, be it that it is installed now. */
async function have(what: string, requirements: readonly Requirement[]): Promise<boolean> {
  const packages = systemPackages();
  const missing = await packages.missing(requirements);
  if (missing.length === 0) return true;
  if (await packages.canInstall()) {
    const announce = (name: string) => process.stdout.write(`installing ${name}\n`);
    await packages.install(missing, announce, new AbortController().signal);
    return true;
  }
  const system = await packages.operatingSystem().catch(() => undefined);
  const command = system && installCommand(missing, system);
  process.stdout.write(`tests on ${what} need: ${command ?? missing.join(" ")}\n`);
  return false;
}

const minuteMs = 60_000;
await runFiles(plain, { concurrency: 2, testMs: 5 * minuteMs, allMs: 35 * minuteMs });
if (onEtcd.length > 0 && (await have("a real etcd", ["etcd"]))) {
  await runFiles(onEtcd, { concurrency: 1, testMs: 3 * minuteMs, allMs: 8 * minuteMs });
}
if (onContainers.length > 0 && (await canRunContainers())) {
  await runFiles(onContainers, { concurrency: 1, testMs: 15 * minuteMs, allMs: 44 * minuteMs });
}
for (const failure of failures) process.stdout.write(`\nfailed: ${failure}`);
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
