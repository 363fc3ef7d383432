import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

const path = "/api/v1/namespaces/default/configmaps";

const watches = ({ server }: TestSetup): number =>
  [...server.parts.metrics.series()].reduce(
    (sum, { labels, running }) => sum + (labels.verb === "WATCH" ? running : 0),
    0,
  );

/** Forty megabytes of events: more than may wait for one client and lie on the way to it. */
async function flood({ call }: TestSetup): Promise<void> {
  for (let at = 0; at < 80; at++) {
    const body = { metadata: { name: `m${at}` }, data: { text: "x".repeat(500_000) } };
    const made = await call(path, { method: "POST", body });
    assert.equal(made.status, 201);
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000 && !holds(); tries++) await pause(20);
  assert.ok(holds());
}

test("a client that does not read loses its watch; one that does, and all others, go on", async () => {
  await using setup = await testSetup();
  const lazy = request({ ...setup.place, path: `${path}?watch=1` }).end();
  lazy.on("error", () => {});
  const [unread] = await once(lazy, "response");
  unread.pause();
  const eager = request({ ...setup.place, path: `${path}?watch=1` }).end();
  const [read] = await once(eager, "response");
  let bytes = 0;
  read.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  assert.equal(watches(setup), 2);
  await flood(setup);
  await until(() => watches(setup) === 1);
  await until(() => bytes > 40_000_000);
  lazy.destroy();
  eager.destroy();
});

test("the same over HTTP/2, where other requests of the connection go on", async () => {
  await using setup = await testSetup();
  const session = connectHttp2(`https://127.0.0.1:${setup.listener.port}`, { ca: setup.authority.ca, ...setup.admin });
  const lazy = session.request({ ":path": `${path}?watch=1` });
  lazy.on("error", () => {});
  await once(lazy, "response");
  lazy.pause();
  await flood(setup);
  await until(() => watches(setup) === 0);
  const other = session.request({ ":path": "/version" });
  const [headers] = await once(other, "response");
  assert.equal(headers[":status"], 200);
  session.destroy();
});
