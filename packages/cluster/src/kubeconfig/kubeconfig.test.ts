import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { mergeKubeconfig, removeFromKubeconfig } from "./kubeconfig.ts";

const access = { context: "skiff", server: "https://127.0.0.1:6443", authority: "CA", certificate: "CERT", key: "KEY" };

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-kubeconfig-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const other = `apiVersion: v1
kind: Config
clusters:
- {name: prod, cluster: {server: "https://prod:6443"}}
users:
- {name: prod, user: {token: secret}}
contexts:
- {name: prod, context: {cluster: prod, user: prod}}
current-context: prod
extensions: [{name: mine}]
`;

test("merging adds one entry of each kind, makes it current, and leaves others as they are", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config");
    await writeFile(path, other, { mode: 0o644 });
    await mergeKubeconfig(path, access);
    await mergeKubeconfig(path, { ...access, server: "https://127.0.0.1:7443" });
    const config = parse(await readFile(path, "utf8"));
    const before = parse(other);
    assert.deepEqual(
      config.clusters.map((one: { name: string }) => one.name),
      ["prod", "skiff"],
    );
    assert.deepEqual(config.clusters[0], before.clusters[0]);
    assert.deepEqual(config.users[0], before.users[0]);
    assert.deepEqual(config.extensions, before.extensions);
    assert.equal(config.clusters[1].cluster.server, "https://127.0.0.1:7443");
    assert.equal(Buffer.from(config.users[1].user["client-key-data"], "base64").toString(), "KEY");
    assert.equal(config["current-context"], "skiff");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  }));

test("removing takes out just that entry, and says whether there was one", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config");
    await writeFile(path, other);
    assert.equal(await removeFromKubeconfig(path, "skiff"), false);
    assert.equal(await readFile(path, "utf8"), other);
    await mergeKubeconfig(path, access);
    assert.equal(await removeFromKubeconfig(path, "skiff"), true);
    const config = parse(await readFile(path, "utf8"));
    assert.deepEqual(config.contexts, parse(other).contexts);
    assert.equal(config["current-context"], "");
  }));

test("a file that is no kubeconfig is left alone, and a link is followed", () =>
  inFolder(async (folder) => {
    const broken = join(folder, "broken");
    await writeFile(broken, "just: [text");
    await assert.rejects(mergeKubeconfig(broken, access), { code: "KUBECONFIG_UNUSABLE" });
    assert.equal(await readFile(broken, "utf8"), "just: [text");
    const [target, link] = [join(folder, "target"), join(folder, "link")];
    await writeFile(target, other);
    await symlink(target, link);
    await mergeKubeconfig(link, access);
    assert.equal(parse(await readFile(target, "utf8"))["current-context"], "skiff");
  }));

test("clusters that are merged at the same moment all get in, and nothing is left beside the file", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config");
    await writeFile(path, other);
    const names = Array.from({ length: 8 }, (_, index) => `skiff-${index}`);
    await Promise.all(names.map((context) => mergeKubeconfig(path, { ...access, context })));
    const config = parse(await readFile(path, "utf8"));
    assert.deepEqual(config.clusters.map((one: { name: string }) => one.name).sort(), ["prod", ...names]);
    assert.deepEqual(await readdir(folder), ["config"]);
  }));
