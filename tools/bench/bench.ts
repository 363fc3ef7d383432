/**
 * `npm run bench [-- PART…]`: measures what the project promises. Progress on standard error; on standard output a table and,
 * last, one line of JSON. Parts: store, api, authorization, admission, custom-resources, crowd, expressions, controllers, scheduler,
 * testing, simulated, cluster and node (these two need root on Linux). Exit code 1 when a figure misses its goal.
 */
import type { BenchRow } from "./row.ts";

const parts: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  store: async () => (await import("./store.ts")).benchStore(),
  api: async () => (await import("./api.ts")).benchApi(),
  authorization: async () => (await import("./authorization.ts")).benchAuthorization(),
  "custom-resources": async () => (await import("./custom-resources.ts")).benchCustomResources(),
  admission: async () => (await import("./admission.ts")).benchAdmission(),
  crowd: async () => (await import("./crowd.ts")).benchCrowd(),
  expressions: async () => (await import("./expressions.ts")).benchExpressions(),
  controllers: async () => (await import("./controllers.ts")).benchControllers(),
  scheduler: async () => (await import("./scheduler.ts")).benchScheduler(),
  testing: async () => (await import("./testing.ts")).benchTesting(),
  simulated: async () => (await import("./simulated.ts")).benchSimulated(),
  cluster: async () => (await import("./cluster.ts")).benchCluster(),
  node: async () => (await import("./node.ts")).benchNode(),
};
const onRealNodes = new Set(["cluster", "node"]);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  process.stderr.write(`no such part: ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}\n`);
  process.exit(2);
}

const rows: BenchRow[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (onRealNodes.has(name) && (process.platform !== "linux" || process.getuid?.() !== 0)) {
    process.stderr.write(`${name}: needs root on Linux, not measured\n`);
    continue;
  }
  rows.push(...(await measure()));
}

const missed = (row: BenchRow): boolean =>
  (row.floor !== undefined && !(row.value >= row.floor)) || (row.ceiling !== undefined && !(row.value <= row.ceiling));
const goal = (row: BenchRow): string =>
  row.floor !== undefined ? `≥ ${row.floor}` : row.ceiling !== undefined ? `≤ ${row.ceiling}` : "";
const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

process.stdout.write("| what | measured | goal | | spread |\n|---|---|---|---|---|\n");
for (const row of rows) {
  const verdict = goal(row) === "" ? "" : missed(row) ? "missed" : "reached";
  process.stdout.write(
    `| ${row.what} | ${figure(row.value)} ${row.unit} | ${goal(row)} | ${verdict} | ${row.detail} |\n`,
  );
}
process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exit(rows.some(missed) ? 1 : 0);
