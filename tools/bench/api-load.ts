/**
 * Load that `wrk` cannot make: HTTP/2, watches, long lists. A process of its own on the other core. Reads one line of JSON
 * (`LoadRequest`) from standard input and answers with one line of JSON, an array of numbers.
 */
import { connect as connectHttp2 } from "node:http2";
import { Agent, type RequestOptions, request } from "node:https";
import { createInterface } from "node:readline";

/** What to measure, where. */
interface LoadRequest {
  readonly mode: "http2" | "list" | "protobufList" | "watch";
  readonly port: number;
  readonly ca: string;
  readonly path: string;
  /** Sessions, lists, watchers. */
  readonly count: number;
  readonly seconds: number;
}

const authorization = "Bearer bench";

async function http2Gets({ port, ca, path, count, seconds }: LoadRequest): Promise<number[]> {
  const streamsEach = Math.max(1, Math.floor(32 / count));
  const endMs = performance.now() + seconds * 1000;
  let done = 0;
  const sessions = Array.from({ length: count }, () => connectHttp2(`https://127.0.0.1:${port}`, { ca }));
  const work = async (session: (typeof sessions)[number]) => {
    while (performance.now() < endMs) {
      const stream = session.request({ ":path": path, authorization });
      await new Promise<void>((resolve, reject) => stream.on("error", reject).on("end", resolve).resume());
      done++;
    }
  };
  const begunMs = performance.now();
  await Promise.all(sessions.flatMap((session) => Array.from({ length: streamsEach }, () => work(session))));
  const rate = done / ((performance.now() - begunMs) / 1000);
  for (const session of sessions) session.destroy();
  return [rate];
}

function call(options: RequestOptions, body?: string): Promise<number> {
  const begunMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () => {
        if ((response.statusCode ?? 500) >= 300 || bytes === 0) reject(new Error(`status ${response.statusCode}`));
        else resolve(performance.now() - begunMs);
      });
    });
    sent.on("error", reject).end(body);
  });
}

async function lists({ mode, port, ca, path, count }: LoadRequest): Promise<number[]> {
  const accept = mode === "list" ? "application/json" : "application/vnd.kubernetes.protobuf";
  const agent = new Agent({ keepAlive: true, ca });
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    times.push(await call({ host: "127.0.0.1", port, path, agent, headers: { authorization, accept } }));
  }
  agent.destroy();
  return times;
}

/** For each of ten creations: how long until the last watcher has it, in milliseconds from the moment of asking for it. */
async function watches({ port, ca, path, count }: LoadRequest): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, ca, maxSockets: Number.POSITIVE_INFINITY });
  const place = { host: "127.0.0.1", port, agent };
  let waiting = 0;
  let told: () => void = () => {};
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve, reject) => {
          const watch = request(
            {
              ...place,
              path: `${path}?watch=true&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
              headers: { authorization },
            },
            (response) => {
              resolve();
              response.on("data", (chunk: Buffer) => {
                if (chunk.includes('"ADDED"') && --waiting === 0) told();
              });
            },
          );
          watch.on("error", reject).end();
        }),
    ),
  );
  const times: number[] = [];
  for (let run = 0; run < 10; run++) {
    const all = Promise.withResolvers<void>();
    waiting = count;
    told = all.resolve;
    const begunMs = performance.now();
    const body = JSON.stringify({ metadata: { name: `event-${run}` }, data: { text: "x".repeat(500) } });
    const headers = { authorization, "content-type": "application/json" };
    await call({ ...place, path, method: "POST", headers }, body);
    await all.promise;
    times.push(performance.now() - begunMs);
  }
  agent.destroy();
  return times;
}

const modes = { http2: http2Gets, list: lists, protobufList: lists, watch: watches };

for await (const line of createInterface({ input: process.stdin })) {
  const wanted: LoadRequest = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await modes[wanted.mode](wanted))}\n`);
  process.exit(0);
}
