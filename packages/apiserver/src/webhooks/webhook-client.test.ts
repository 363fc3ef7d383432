import assert from "node:assert/strict";
import { test } from "node:test";
import { refusals, StatusError } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { selfSigned } from "../fixtures/self-signed.ts";
import { webhookServer } from "../fixtures/webhook-server.ts";
import { WebhookClient } from "./webhook-client.ts";

const signal = new AbortController().signal;
const usual = { body: { kind: "Review" }, timeoutMs: 10_000, signal };

const failure = async (promise: Promise<unknown>): Promise<Error> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof Error, "it fails");
  return error;
};

test("a Service is called by its name, on kept connections", async () => {
  await using server = await webhookServer(({ body }) => ({ kind: body.kind ?? "", answered: true }));
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  assert.deepEqual(await client.call(server.config, usual), { kind: "Review", answered: true });
  assert.deepEqual(await client.call(server.config, usual), { kind: "Review", answered: true });
  assert.equal(server.connections(), 1);
  const [call] = server.calls;
  assert.equal(call?.path, "/review?timeout=10s");
  assert.equal(call?.headers.host, "hook.default.svc:443");
  await client.call(server.config, { ...usual, tellTimeout: false });
  assert.equal(server.calls[2]?.path, "/review");
});

test("a URL is called as it stands", async () => {
  await using server = await webhookServer(() => ({}));
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  const url = `https://127.0.0.1:${server.port}/a/b`;
  const other = Buffer.from((await selfSigned("else")).cert).toString("base64");
  assert.equal(
    (await failure(client.call({ url, caBundle: other }, usual))).message,
    `Post "${url}?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  );
  assert.equal(
    (await failure(client.call({ url, caBundle: server.caBundle }, usual))).message,
    `Post "${url}?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.default.svc, not 127.0.0.1`,
  );
});

test("failures are worded as Kubernetes words them", async () => {
  const answers = {
    slow: new Promise<never>(() => {}),
    missing: { code: 404, text: "404 page not found" },
    broken: { code: 500, text: "no\n" },
    teapot: { code: 418, text: "" },
    garbage: { code: 200, text: "<html>" },
    status: { code: 403, text: JSON.stringify({ kind: "Status", status: "Failure", message: "not you", code: 403 }) },
  };
  const isKnown = (name: string): name is keyof typeof answers => name in answers;
  await using server = await webhookServer(({ path }) => {
    const name = path.split(/[/?]/)[1] ?? "";
    return isKnown(name) ? answers[name] : {};
  });
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  const at = (path: string) => ({ ...server.config, service: { namespace: "default", name: "hook", path } });
  const said = async (path: string, timeoutMs = 10_000) =>
    (await failure(client.call(at(`/${path}`), { ...usual, timeoutMs }))).message;
  assert.equal(
    await said("slow", 50),
    'Post "https://hook.default.svc:443/slow?timeout=1s": context deadline exceeded',
  );
  assert.equal(await said("missing"), "the server could not find the requested resource");
  assert.equal(await said("broken"), 'an error on the server ("no") has prevented the request from succeeding');
  assert.match(await said("teapot"), /^the server responded with the status code 418 but/);
  assert.match(await said("garbage"), /^couldn't get version\/kind; json parse error: /);
  assert.equal(await said("status"), "not you");
});

test("Services without endpoints and closed ports are told of", async () => {
  await using server = await webhookServer(() => ({}));
  const nobody = refusals.unavailable('no endpoints available for service "hook"');
  using lost = new WebhookClient({ services: { locate: () => Promise.reject(nobody) }, clock: systemClock });
  const error = await failure(lost.call(server.config, usual));
  assert.equal(
    error.message,
    'Post "https://hook.default.svc:443/review?timeout=10s": no endpoints available for service "hook"',
  );
  assert(!(error instanceof StatusError));
  const { port } = server;
  await server[Symbol.asyncDispose]();
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  assert.equal(
    (await failure(client.call(server.config, usual))).message,
    `Post "https://hook.default.svc:443/review?timeout=10s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});

test("a caller who goes away is not waited for", async () => {
  await using server = await webhookServer(() => new Promise(() => {}));
  using client = new WebhookClient({ services: server.services, clock: systemClock });
  const leaving = new AbortController();
  const call = failure(client.call(server.config, { ...usual, signal: leaving.signal }));
  leaving.abort(new Error("gone"));
  assert.match((await call).message, /^Post "https:\/\/hook.default.svc:443\/review\?timeout=10s": /);
});
