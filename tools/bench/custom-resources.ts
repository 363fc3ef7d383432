/** How soon a custom resource is there for everybody, and what many definitions cost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BenchRow, median, spread } from "./row.ts";

const runs = 10;
const definitionCount = 200;
const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Measures with a server of its own, in a process of its own. */
export async function benchCustomResources(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-custom-"));
  try {
    const emptyMs = performance.now();
    const few = await start(folder);
    await waitFor(few.session, "/apis/apps/v1", "");
    const usualMs = performance.now() - emptyMs;
    const before = residentMiB(few.child);
    // The built-in part of the documents is made when somebody first asks.
    await waitFor(few.session, "/openapi/v2", "");
    const times: number[] = [];
    for (let run = 0; run < runs; run++) times.push(await untilPublished(few.session, `first${run}`));
    for (let at = 0; at < definitionCount; at++) await define(few.session, `kind${at}`);
    await waitFor(few.session, `/apis/kind${definitionCount - 1}.example.com/v1`, "");
    const crowded: number[] = [];
    for (let run = 0; run < runs; run++) crowded.push(await untilPublished(few.session, `last${run}`));
    await stop(few);
    const begunMs = performance.now();
    const many = await start(folder);
    await waitFor(many.session, `/apis/kind${definitionCount - 1}.example.com/v1`, "");
    const startedMs = performance.now() - begunMs;
    const after = residentMiB(many.child);
    await stop(many);
    const what = "a new custom resource served, discovered, in OpenAPI 2 and 3";
    const ms = { unit: "ms", floor: undefined };
    return [
      { what, value: Math.round(median(times)), detail: spread(times, 0), ...ms, ceiling: 200 },
      {
        what: `the same beside ${definitionCount} others`,
        value: Math.round(median(crowded)),
        detail: spread(crowded, 0),
        ...ms,
        ceiling: 500,
      },
      {
        what: `what ${definitionCount} definitions add to a server's start`,
        value: Math.round(startedMs - usualMs),
        detail: `${Math.round(usualMs)} to ${Math.round(startedMs)} ms`,
        ...ms,
        ceiling: 500,
      },
      {
        what: `resident memory that ${definitionCount} definitions add`,
        value: after - before,
        detail: `${before} to ${after} MiB`,
        unit: "MiB",
        floor: undefined,
        ceiling: 60,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As large as many operators' definitions are: 60 described fields in three levels. */
function definition(plural: string): object {
  const field = (name: string): [string, object] => [name, { type: "string", description: `what ${name} is for` }];
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, index) => field(`field${index}`)));
  const level = (properties: object) => ({ type: "object", description: "a level", properties });
  const spec = level({ ...fields, inner: level({ ...fields, inner: level(fields) }) });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}s.${plural}.example.com` },
    spec: {
      group: `${plural}.example.com`,
      scope: "Namespaced",
      names: { plural: `${plural}s`, kind: plural.charAt(0).toUpperCase() + plural.slice(1) },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: level({ spec, status: level(fields) }) },
        },
      ],
    },
  };
}

async function define(session: ClientHttp2Session, plural: string): Promise<void> {
  const { status, text } = await call(session, definitionsPath, definition(plural));
  if (status !== 201) throw new Error(text);
}

async function untilPublished(session: ClientHttp2Session, plural: string): Promise<number> {
  const begunMs = performance.now();
  await define(session, plural);
  const group = `${plural}.example.com`;
  await waitFor(session, `/apis/${group}/v1/${plural}s`, "");
  await waitFor(session, "/apis", group);
  await waitFor(session, "/openapi/v3", group);
  await waitFor(session, `/openapi/v3/apis/${group}/v1`, "field19");
  await waitFor(session, "/openapi/v2", `com.example.${plural}`);
  return performance.now() - begunMs;
}

/** Asks until the answer is there and has a text in it. */
async function waitFor(session: ClientHttp2Session, path: string, wanted: string): Promise<void> {
  for (;;) {
    const { status, text } = await call(session, path);
    if (status === 200 && text.includes(wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function call(session: ClientHttp2Session, path: string, body?: object) {
  const method = body === undefined ? "GET" : "POST";
  const stream = session.request({
    ":path": path,
    ":method": method,
    authorization: "Bearer bench",
    "content-type": "application/json",
  });
  stream.end(body === undefined ? undefined : JSON.stringify(body));
  const [headers] = await once(stream, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return { status: Number(headers[":status"]), text: Buffer.concat(chunks).toString("utf8") };
}

interface Server {
  readonly child: ChildProcess;
  readonly session: ClientHttp2Session;
}

async function start(folder: string): Promise<Server> {
  const file = join(import.meta.dirname, "api-server.ts");
  const options = ["--max-semi-space-size=4", file, folder, "0"];
  const child = spawn(process.execPath, options, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { port, ca } = JSON.parse(line);
    return { child, session: connect(`https://127.0.0.1:${port}`, { ca }) };
  }
  throw new Error("the server ended without a word");
}

async function stop({ child, session }: Server): Promise<void> {
  session.destroy();
  const closed = once(child, "close");
  child.stdin?.end();
  await closed;
}

/** Resident memory of a process in MiB. */
function residentMiB({ pid }: ChildProcess): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kibibytes) / 1024);
}
