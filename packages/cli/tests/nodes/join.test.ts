/** Tokens and a node that joins, as the commands show them, with simulated pods: what goes wrong is told. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isJsonObject } from "@skiff/base";
import { kubectls, type Outcome, Workbench } from "../story/workbench.ts";

describe("joining", () => {
  let bench: Workbench;
  let server: string;
  const home = () => join(bench.folder, "second");
  const launcher = join(import.meta.dirname, "../../bin/skiff.js");
  const there = (...words: readonly string[]): Promise<Outcome> =>
    bench.run(process.execPath, [launcher, ...words, "--home", home(), "--name", bench.name]);
  const token = async (...words: readonly string[]): Promise<string> => {
    const made = await bench.skiff("token", "create", ...words);
    assert.equal(made.code, 0, made.stderr);
    return made.stdout.trim();
  };
  const joining = (text: string, ...words: readonly string[]) =>
    there("join", server, "--token", text, "--node-name", "second", "--runtime", "simulated", ...words);

  before(async () => {
    bench = await Workbench.started("joining", "--runtime", "simulated");
    const [, , address = ""] = (await token("--print-join-command")).split(" ");
    server = address;
  });
  after(async () => {
    await there("delete");
    await bench[Symbol.asyncDispose]();
  });

  test("tokens are made, listed and removed", async () => {
    const text = await token("abcdef.0123456789abcdef", "--ttl", "90m", "--description", "a rack");
    assert.equal(text, "abcdef.0123456789abcdef");
    const again = await bench.skiff("token", "create", text);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /there is a token abcdef already/);
    const list = (await bench.skiff("token", "list")).stdout;
    assert.match(
      list,
      /^abcdef\.0123456789abcdef +8\dm +\S+Z +signing,authentication +a rack +system:bootstrappers:kubeadm/m,
    );
    const json: unknown = JSON.parse((await bench.skiff("token", "list", "-o", "json")).stdout);
    assert.ok(Array.isArray(json) && isJsonObject(json[0]));
    assert.equal((await bench.skiff("token", "delete", "abcdef")).code, 0);
    assert.doesNotMatch((await bench.skiff("token", "list")).stdout, /abcdef/);
    const gone = await bench.skiff("token", "delete", text);
    assert.match(gone.stderr, /there is no token abcdef/);
    for (const words of [["UPPER1.x"], ["--ttl", "soon"], ["--usages", "cooking"], ["--groups", "system:masters"]]) {
      assert.notEqual((await bench.skiff("token", "create", ...words)).code, 0, words.join(" "));
    }
  });

  test("nobody joins by what is wrong, and no settings are written", async () => {
    const rows = [
      { words: ["join"], says: /skiff token create --print-join-command/ },
      {
        words: ["join", "http://127.0.0.1:1", "--token", "abcdef.0123456789abcdef"],
        says: /no address of an API server/,
      },
      { words: ["join", server, "--token", "short"], says: /abcdef\.0123456789abcdef/ },
      { words: ["join", server, "--token", "zzzzzz.0123456789abcdef"], says: /does not know the token zzzzzz/ },
      { words: ["join", "https://127.0.0.1:1", "--token", "abcdef.0123456789abcdef"], says: /cannot be reached/ },
    ];
    await Promise.all(
      rows.map(async ({ words, says }, index) => {
        const where = ["--home", join(bench.folder, `wrong-${index}`), "--name", bench.name, "--runtime", "simulated"];
        const outcome = await bench.run(process.execPath, [launcher, ...words, ...where]);
        assert.equal(outcome.code, 1, words.join(" "));
        assert.match(outcome.stderr, says);
        await assert.rejects(stat(join(bench.folder, `wrong-${index}`, bench.name, "cluster.json")));
      }),
    );
    const unnamed = await there(
      "join",
      server.replace(/\/\/.*:/, "//127.0.0.2:"),
      "--token",
      await token(),
      "--runtime",
      "simulated",
    );
    assert.match(unnamed.stderr, /does not name 127\.0\.0\.2; .*--apiserver-cert-extra-sans 127\.0\.0\.2/);
    // Of another cluster, by its authority.
    const other = await joining(await token(), "--discovery-token-ca-cert-hash", `sha256:${"0".repeat(64)}`);
    assert.match(other.stderr, /it is another cluster/);
  });

  test("a machine joins by a token, and starts again without one", async () => {
    const text = await token();
    const joined = await joining(text);
    assert.equal(joined.code, 0, joined.stderr);
    assert.match(joined.stderr, /Node second of https:\S+ is Ready after/);
    assert.equal((await bench.skiff("token", "delete", text)).code, 0);
    assert.equal((await stat(join(home(), bench.name, "pki/node.key"))).mode & 0o777, 0o600);
    const again = await there("join");
    assert.match(again.stderr, /was already running/);
    assert.equal((await there("down")).code, 0);
    const moved = await there("join", "--node-name", "third");
    assert.match(moved.stderr, /has joined with second, not third/);
    const up = await there("up", "--runtime", "simulated");
    assert.match(up.stderr, /it is started with skiff join/);
    const started = await there("join", "-o", "json");
    assert.equal(started.code, 0, started.stderr);
    const result: unknown = JSON.parse(started.stdout);
    assert.ok(isJsonObject(result) && isJsonObject(result.settings));
    assert.equal(result.settings.nodeName, "second");
    assert.match((await there("status")).stdout, /agent +running/);
    const own = await bench.skiff("join", server, "--token", text);
    assert.match(own.stderr, /holds a cluster of its own/);
  });

  test("the server may be given other names, by which machines join", async () => {
    const up = () => bench.skiff("up", "--apiserver-cert-extra-sans", "127.0.0.2,api.example.com");
    assert.match((await up()).stderr, /is running without --apiserver-cert-extra-sans/);
    assert.equal((await bench.skiff("down")).code, 0);
    assert.equal((await up()).code, 0);
    const where = ["--home", join(bench.folder, "third"), "--name", bench.name];
    const address = server.replace(/\/\/.*:/, "//127.0.0.2:");
    const words = ["join", address, "--token", await token(), "--node-name", "third", "--runtime", "simulated"];
    const joined = await bench.run(process.execPath, [launcher, ...words, ...where]);
    assert.equal(joined.code, 0, joined.stderr);
    assert.equal((await bench.run(process.execPath, [launcher, "delete", ...where])).code, 0);
  });

  test("deleting the node leaves the cluster's own entry in the kubeconfig", async () => {
    const before = await readFile(join(bench.folder, "kubeconfig"), "utf8");
    const deleted = await there("delete");
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.match(deleted.stderr, /kubectl delete node second/);
    assert.equal(await readFile(join(bench.folder, "kubeconfig"), "utf8"), before);
    await assert.rejects(stat(home()));
    assert.equal((await bench.skiff("status")).code, 0);
  });

  test("stock kubectl sees the requests for certificates", async () => {
    if (kubectls().length === 0) return;
    const requests = await bench.kubectl("get", "csr", "--no-headers");
    assert.equal(requests.match(/Approved,Issued/g)?.length, 4, requests);
  });
});
