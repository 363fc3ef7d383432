/**
 * The API server's figures. The server runs in a process that is held to one core, with the durable store; the load comes
 * from another process on another core.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BenchRow, median, spread } from "./row.ts";

const runs = 3;
const seconds = 4;
const podCount = 5000;
/** As the supervisor starts the server (`run-supervisor.ts`). */
const serverOptions = ["--max-semi-space-size=4"];

interface Target {
  readonly port: number;
  readonly ca: string;
  readonly folder: string;
}

/** Measures reads, durable writes, watches and lists over TLS. Needs `wrk`, `taskset` and two cores. */
export async function benchApi(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-api-"));
  const server = pinned("0", "api-server.ts", [join(folder, "store"), String(podCount)]);
  try {
    const target: Target = { ...JSON.parse(await firstLine(server)), folder };
    const row = (more: Omit<BenchRow, "unit" | "floor" | "ceiling">): Omit<BenchRow, "unit" | "floor" | "ceiling"> =>
      more;
    const http1 = await repeat(() => wrk(target, podPath, ""));
    const http2 = await repeat(
      async () => (await load({ ...target, mode: "http2", path: podPath, count: 8, seconds }))[0] ?? 0,
    );
    const lists = await load({ ...target, mode: "list", path: podsPath, count: 12, seconds });
    const messages = await load({ ...target, mode: "protobufList", path: podsPath, count: 12, seconds });
    const applies = await repeat(() => wrk(target, deploymentPath, applyScript));
    const watches = await load({ ...target, mode: "watch", path: configMapsPath, count: 1000, seconds });
    const creates = await durableCreates(folder);
    return [
      { ...row(figures("GET of a Pod, HTTP/1.1, 32 connections, one core", http1)), unit: "/s", floor: 12_000 },
      { ...row(figures("GET of a Pod, HTTP/2, 32 in flight, one core", http2)), unit: "/s", floor: 9_000 },
      { ...row(figures("durable creates of a 2 KiB ConfigMap, 32 in flight", creates)), unit: "/s", floor: 4_000 },
      {
        ...row(figures("one event to the last of 1,000 watchers", watches)),
        unit: "ms",
        floor: undefined,
        ceiling: 100,
      },
      { ...row(figures("LIST of 5,000 pods, warm", lists.slice(2))), unit: "ms", floor: undefined, ceiling: 150 },
      {
        ...row(figures("LIST of 5,000 pods in protobuf, warm, against the one in JSON", ratios(messages, lists))),
        unit: "×",
        floor: undefined,
        ceiling: 1.2,
      },
      { ...row(figures("server-side apply of a changed 5 KiB Deployment, one core", applies)), unit: "/s", floor: 800 },
    ];
  } finally {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writing to the disk is not the server's core's work: this server may use the whole machine. */
async function durableCreates(folder: string): Promise<number[]> {
  const server = pinned("0,1", "api-server.ts", [join(folder, "creates"), "0"]);
  try {
    const target: Target = { ...JSON.parse(await firstLine(server)), folder };
    return await repeat(() => wrk(target, configMapsPath, createScript));
  } finally {
    await stop(server);
  }
}

async function stop(server: ChildProcess): Promise<void> {
  const closed = once(server, "close");
  server.stdin?.end();
  await closed;
}

const podsPath = "/api/v1/namespaces/default/pods";
const podPath = `${podsPath}/pod-7`;
const configMapsPath = "/api/v1/namespaces/default/configmaps";

const deploymentPath = "/apis/apps/v1/namespaces/default/deployments";

/** How many times as long as the middle of `others` each of `values` is, the first two of both aside: those warm the server. */
function ratios(values: readonly number[], others: readonly number[]): number[] {
  const usual = median(others.slice(2));
  return values.slice(2).map((value) => value / usual);
}

const figures = (what: string, values: readonly number[]) => ({
  what,
  value: Math.round(median(values) * 10) / 10,
  detail: spread(values, values.some((value) => value < 10) ? 1 : 0),
});

/** A process on the given cores. */
function pinned(cores: string, script: string, args: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, script);
  const options = script === "api-server.ts" ? serverOptions : [];
  return spawn("taskset", ["-c", cores, process.execPath, ...options, file, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the process has no output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the process ended without an answer");
}

async function repeat(measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await measure());
  return values;
}

async function load(wanted: object): Promise<number[]> {
  const child = pinned("1", "api-load.ts", []);
  child.stdin?.end(`${JSON.stringify(wanted)}\n`);
  const values: number[] = JSON.parse(await firstLine(child));
  return values;
}

let series = 0;

const createScript = `
local count = 0
local text = string.rep("x", 1900)
function request()
  count = count + 1
  local body = '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c-SERIES-' .. count .. '"},"data":{"text":"' .. text .. '"}}'
  return wrk.format("POST", nil, {["Content-Type"] = "application/json", ["Authorization"] = "Bearer bench"}, body)
end`;

/** Applies that each set another image, to 64 Deployments in turn: the 32 in flight do not meet. */
const applyScript = `
local count = 0
local environment = {}
for index = 1, 60 do environment[index] = '{"name":"VARIABLE_' .. index .. '","value":"the value of the variable ' .. index .. '"}' end
local head = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web-NAME","labels":{"app":"web"}},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","ports":[{"containerPort":80}],"env":[' .. table.concat(environment, ",") .. '],"image":"registry.example.com/web:'
function request()
  count = count + 1
  local name = "web-" .. count % 64
  return wrk.format("PATCH", wrk.path .. "/" .. name .. "?fieldManager=bench", {["Content-Type"] = "application/apply-patch+yaml", ["Authorization"] = "Bearer bench"}, head:gsub("web%-NAME", name, 1) .. count .. '"}]}}}}')
end`;

/** Requests a second that `wrk` gets answered; any that is refused is a failure of the measurement. */
async function wrk({ port, folder }: Target, path: string, script: string): Promise<number> {
  const file = join(folder, "request.lua");
  writeFileSync(file, script.replace("SERIES", String(series++)));
  const args = ["-c", "1", "wrk", "-t1", "-c32", `-d${seconds}s`, "-H", "Authorization: Bearer bench"];
  if (script !== "") args.push("-s", file);
  const child = spawn("taskset", [...args, `https://127.0.0.1:${port}${path}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  const output = Buffer.concat(chunks).toString("utf8");
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  if (rate === undefined || /Non-2xx/.test(output)) throw new Error(`wrk: ${output}`);
  return Number(rate);
}
