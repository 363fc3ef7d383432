import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { Agent, request } from "node:https";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, sleepOn, systemClock } from "@skiff/base";
import { portOf } from "../fixtures/http-exchange.ts";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";
import { parseDuration } from "./request-timeout.ts";

const path = "/api/v1/namespaces/default";
/** Asks again and again over one connection, until there is nobody who takes a new one. `told`: an answer came. */
async function askOverHttp1({ place, admin }: TestSetup, told: () => void): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...admin });
  for (;;) {
    const sent = request({ ...place, agent, path });
    let connected = false;
    sent.on("socket", (socket) => {
      if (sent.reusedSocket) connected = true;
      else {
        socket.once("secureConnect", () => {
          connected = true;
        });
      }
    });
    try {
      const response = once(sent, "response");
      sent.end();
      const [message] = await response;
      message.resume();
      await once(message, "end");
      assert.equal(message.statusCode, 200);
      told();
    } catch (error) {
      agent.destroy();
      // No connection was to be had: nothing was asked, and nothing is lost.
      if (!connected) return;
      throw error;
    }
  }
}

async function askOverHttp2({ place, admin }: TestSetup, told: () => void): Promise<void> {
  for (;;) {
    const session = connectHttp2(`https://127.0.0.1:${place.port}`, { ca: String(place.ca), ...admin });
    try {
      await once(session, "connect");
    } catch {
      return;
    }
    session.on("error", () => {});
    while (!session.closed && !session.destroyed) {
      const stream = session.request({ ":path": path });
      try {
        const [headers] = await once(stream, "response");
        stream.resume();
        await once(stream, "end");
        assert.equal(headers[":status"], 200);
        told();
      } catch (error) {
        // What came after the server had said that it goes was not looked at: clients send it again elsewhere.
        if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM && !session.closed && !session.destroyed) throw error;
      }
    }
    session.destroy();
  }
}

test("no request is dropped when the server stops", async () => {
  const setup = await testSetup();
  const answers = Array.from({ length: 9 }, () => 0);
  const clients = answers.map((_, at) => {
    const told = () => {
      answers[at] = (answers[at] ?? 0) + 1;
    };
    return at < 6 ? askOverHttp1(setup, told) : askOverHttp2(setup, told);
  });
  // The server stops while all of them are asking.
  while (answers.some((count) => count < 3)) await pause(10);
  await setup[Symbol.asyncDispose]();
  await Promise.all(clients);
});

test("a server that is about to stop says so before it does", async () => {
  // The delay lasts until the test has asked what it wants to know.
  const [delayMs, asked] = [12_345, Promise.withResolvers<void>()];
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => (ms === delayMs ? asked.promise : systemClock.sleep(ms, signal)),
  };
  const setup = await testSetup({ clock, shutdownDelayMs: delayMs });
  assert.equal((await setup.call("/readyz")).status, 200);
  const stopped = setup[Symbol.asyncDispose]();
  const ready = await setup.call("/readyz");
  assert.equal(ready.status, 500);
  assert.match(ready.text, /^\[-\]shutdown failed: reason withheld$/m);
  assert.deepEqual([(await setup.call("/livez")).status, (await setup.call(path)).status], [200, 200]);
  asked.resolve();
  await stopped;
  await assert.rejects(setup.call("/readyz"));
});

test("watches end as if they had run out when the server stops", async () => {
  const setup = await testSetup();
  const watch = request({ ...setup.place, path: "/api/v1/configmaps?watch=1" }).end();
  const [response] = await once(watch, "response");
  response.resume();
  const ended = once(response, "end");
  await setup[Symbol.asyncDispose]();
  await ended;
  assert.ok(response.complete, "the last chunk came");
});

/** The machine's clock, which knows how many of its timers are still to fire. */
function countingClock() {
  let waiting = 0;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, fire) {
      waiting++;
      let counts = true;
      const gone = () => {
        if (counts) waiting--;
        counts = false;
      };
      const timer = systemClock.after(delayMs, () => {
        gone();
        fire();
      });
      const cancel = () => {
        gone();
        timer.cancel();
      };
      return { cancel, [Symbol.dispose]: cancel };
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return { clock, waiting: () => waiting };
}

test("nothing is left to wait for when the server has stopped", { timeout: 60_000 }, async () => {
  for (const leaves of [true, false]) {
    const { clock, waiting } = countingClock();
    const setup = await testSetup({ clock });
    const data = { text: "x".repeat(900_000) };
    for (const name of ["a", "b", "c", "d"]) {
      const made = await setup.call(`${path}/configmaps`, { method: "POST", body: { metadata: { name }, data } });
      assert.equal(made.status, 201);
    }
    // Clients of watches that read nothing of what is on its way to them.
    const session = connectHttp2(`https://127.0.0.1:${setup.place.port}`, {
      ca: String(setup.place.ca),
      ...setup.admin,
    });
    session.on("error", () => {});
    const stream = session.request({ ":path": "/api/v1/configmaps?watch=1" });
    stream.on("error", () => {});
    const sent = request({ ...setup.place, path: "/api/v1/configmaps?watch=1" }).end();
    sent.on("error", () => {});
    const [[response]] = await Promise.all([once(sent, "response"), once(stream, "response")]);
    response.on("error", () => {});
    await pause(100);
    if (leaves) {
      session.destroy();
      sent.destroy();
    }
    await setup[Symbol.asyncDispose]();
    assert.equal(waiting(), 0);
    session.destroy();
  }
});

test("connections in the middle of their handshake do not hold the server up", { timeout: 60_000 }, async () => {
  const setup = await testSetup();
  const silent = connectTcp(Number(setup.place.port), "127.0.0.1");
  await once(silent, "connect");
  silent.resume();
  const gone = once(silent, "close");
  // The server gets what ends this one's handshake when it is stopping.
  let [held, pass]: [Buffer[], ((bytes: Buffer) => void) | undefined] = [[], undefined];
  const relay = createTcpServer((near) => {
    const far = connectTcp(Number(setup.place.port), "127.0.0.1");
    let first = true;
    near.on("data", (bytes) => {
      if (first) far.write(bytes);
      else if (pass === undefined) held.push(bytes);
      else pass(bytes);
      first = false;
    });
    far.pipe(near);
    far.on("error", () => {});
    near.on("error", () => {});
    release = () => {
      pass = (bytes) => void far.write(bytes);
      for (const bytes of held) far.write(bytes);
      held = [];
    };
  });
  let release = () => {};
  await once(relay.listen(0, "127.0.0.1"), "listening");
  const session = connectHttp2(`https://127.0.0.1:${portOf(relay)}`, { ca: String(setup.place.ca), ...setup.admin });
  session.on("error", () => {});
  await once(session, "connect");
  const left = once(session, "close");
  const stopped = setup[Symbol.asyncDispose]();
  release();
  await Promise.all([stopped, gone, left]);
  relay.close();
});

test("a request that takes longer than it may is told so", async () => {
  await using setup = await testSetup();
  const ask = (query: string) => {
    const headers = { "content-type": "application/json" };
    const sent = request({ ...setup.place, path: `${path}/configmaps?${query}`, method: "POST", headers });
    sent.on("error", () => {});
    sent.write('{"metadata":');
    return once(sent, "response");
  };
  const [late] = await ask("timeout=50ms");
  const chunks: Buffer[] = [];
  late.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(late, "end");
  assert.equal(late.statusCode, 504);
  assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Timeout: request did not complete within the allotted timeout",
    reason: "Timeout",
    details: {},
    code: 504,
  });
  const wrong = await setup.call(`${path}?timeout=soon`);
  assert.equal(wrong.status, 400);
  assert.equal(wrong.json.message, 'invalid timeout specified in the request URL - time: invalid duration "soon"');
});

test("some connections are made anew where clients shall spread", async () => {
  await using setup = await testSetup();
  const { authority } = setup;
  const tls = { ...(await authority.server()), ca: authority.ca };
  const listener = await setup.server.listen({ host: "127.0.0.1", port: 0, tls, goAwayChance: 1 });
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.ca, ...setup.admin });
  const went = once(session, "goaway");
  const stream = session.request({ ":path": path });
  const [headers] = await once(stream, "response");
  assert.equal(headers[":status"], 200);
  const [code] = await went;
  assert.equal(code, constants.NGHTTP2_NO_ERROR);
  session.destroy();
});

const durations: readonly (readonly [string, number | string])[] = [
  ["1m30.5s", 90_500],
  ["-2h", -7_200_000],
  ["0", 0],
  ["1ms500us", 1.5],
  ["10", 'time: missing unit in duration "10"'],
  ["10x", 'time: unknown unit "x" in duration "10x"'],
  ["s", 'time: invalid duration "s"'],
];
for (const [text, expected] of durations)
  test(`the duration ${text}`, () => assert.equal(parseDuration(text), expected));
