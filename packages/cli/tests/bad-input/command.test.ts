/** The command in bad circumstances: wrong words, taken ports, two at once, no rights. All on the simulated runtime. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { kubectls, type Outcome, Workbench } from "../story/workbench.ts";

const launcher = join(import.meta.dirname, "../../bin/skiff.js");
const isRoot = process.getuid?.() === 0;
const simulated = ["--runtime", "simulated"] as const;

const started = (name: string): Promise<Workbench> => Workbench.started(name, ...simulated);

async function assertUp(bench: Workbench): Promise<Outcome> {
  const up = await bench.skiff("up", ...simulated);
  assert.equal(up.code, 0, up.stderr);
  return up;
}

const skiff = (bench: Workbench, ...words: readonly string[]): Promise<Outcome> =>
  bench.run(process.execPath, [launcher, ...words]);

test("wrong words end with code 2 and a hint", async () => {
  await using bench = await Workbench.create("words");
  for (const [words, message] of [
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["up", "--nonsense"], /unknown option '--nonsense'/],
    [["up", "--name", "BAD_NAME"], /A name has lower case letters, digits and '-', 30 characters at most/],
    [["up", "--name", "a/../b"], /A name has lower case letters/],
    [["up", "--api-port", "99999"], /A port is a number from 1 to 65535/],
    [["up", "--runtime", "docker"], /Allowed choices are containerd, simulated/],
    [["status", "-o", "xml"], /Allowed choices are json/],
    [["logs", "nosuch"], /Allowed choices are server, agent, containerd, nfs, supervisor/],
    [["logs", "--tail", "few"], /A number of lines, 0 or more/],
    [["image", "load"], /missing required argument 'file'/],
    [["image", "frob"], /unknown command 'frob'/],
  ] as const) {
    const { code, stdout, stderr } = await skiff(bench, ...words);
    assert.deepEqual([code, stdout], [2, ""], words.join(" "));
    assert.match(stderr, message);
    assert.match(stderr, /skiff --help/);
  }
});

test("every command has help", async () => {
  await using bench = await Workbench.create("help");
  const { stdout } = await skiff(bench, "--help");
  const commands = [...stdout.matchAll(/^ {2}([a-z]+)\b/gm)]
    .map(([, word = ""]) => word)
    .filter((word) => word !== "help");
  assert.ok(commands.length >= 10, stdout);
  for (const command of [...commands, "image load", "image list", "image remove"]) {
    const help = await skiff(bench, ...command.split(" "), "--help");
    assert.equal(help.code, 0, command);
    assert.match(help.stdout, new RegExp(`^Usage: skiff ${command}`), command);
  }
});

test("without a cluster, commands end with code 3 and say so", async () => {
  await using bench = await Workbench.create("none");
  for (const command of [
    "status",
    "down",
    "delete",
    "logs",
    "kubeconfig",
    "image list",
    "image load x",
    "image remove x",
  ]) {
    const { code, stderr } = await bench.skiff(...command.split(" "));
    assert.equal(code, 3, command);
    assert.match(stderr, /there is no cluster "none" below /i, command);
  }
  const status = await bench.skiff("status", "-o", "json");
  assert.deepEqual(JSON.parse(status.stdout), { name: "none", state: "absent" });
  await assert.rejects(readdir(join(bench.folder, "home")), "nothing was made");
});

test("up is repeatable, its settings are fixed, and all data is JSON", async () => {
  await using bench = await started("repeated");
  const again = await bench.skiff("up", ...simulated, "-o", "json");
  assert.equal(again.code, 0);
  const answer = JSON.parse(again.stdout);
  assert.equal(answer.already, true);
  assert.equal(answer.context, "skiff-repeated");
  assert.equal(again.stderr, "");
  const port = await bench.skiff("up", "--api-port", "7777");
  assert.equal(port.code, 1);
  assert.match(port.stderr, /was made with --api-port \d+; delete it first, or use another --name/);
  const runtime = await bench.skiff("up", "--runtime", "containerd");
  assert.match(runtime.stderr, /was made with --runtime simulated/);
  assert.equal(JSON.parse((await bench.skiff("status", "-o", "json")).stdout).state, "running");
  const images = await bench.skiff("image", "list");
  assert.equal(images.code, 1);
  assert.match(images.stderr, /is simulated: it has no images/);
  assert.ok(Array.isArray(JSON.parse((await bench.skiff("doctor", "-o", "json")).stdout)));
  const kubeconfig = join(bench.folder, "kubeconfig");
  assert.deepEqual(JSON.parse((await bench.skiff("down", "-o", "json", "--kubeconfig", kubeconfig)).stdout), {
    name: "repeated",
    wasRunning: true,
  });
  assert.match(await readFile(kubeconfig, "utf8"), /name: skiff-repeated/);
  assert.deepEqual(JSON.parse((await bench.skiff("down", "-o", "json")).stdout), {
    name: "repeated",
    wasRunning: false,
  });
  assert.equal((await bench.skiff("status")).code, 3);
  assert.deepEqual(JSON.parse((await bench.skiff("delete", "-o", "json")).stdout), { name: "repeated", deleted: true });
});

test("two starts at once: one works, the other says why it does not", async () => {
  await using bench = await Workbench.create("twice");
  const outcomes = await Promise.all([bench.skiff("up", ...simulated), bench.skiff("up", ...simulated)]);
  const [worked, refused] = outcomes[0].code === 0 ? outcomes : [outcomes[1], outcomes[0]];
  assert.equal(worked.code, 0, worked.stderr);
  if (refused.code !== 0)
    assert.match(refused.stderr, /another skiff command \(process \d+\) is working on this cluster; wait for it/);
});

test("clusters side by side, in a home with spaces, have ports and entries of their own", async () => {
  await using bench = await Workbench.create("side");
  const home = join(bench.folder, "a home");
  try {
    await writeFile(
      join(bench.folder, "kubeconfig"),
      "apiVersion: v1\nkind: Config\nclusters:\n- name: mine\n  cluster: {server: https://example.com}\ncontexts: []\nusers: []\ncurrent-context: mine\nextra: kept\n",
      { mode: 0o644 },
    );
    const ups = await Promise.all(
      ["one", "two"].map((name) => skiff(bench, "up", "--home", home, "--name", name, ...simulated, "-o", "json")),
    );
    assert.deepEqual(
      ups.map(({ code }) => code),
      [0, 0],
      ups.map(({ stderr }) => stderr).join("\n"),
    );
    const settings = ups.map(({ stdout }) => JSON.parse(stdout).settings);
    for (const key of ["apiPort", "kubeletPort", "podCidr", "serviceCidr", "slot"])
      assert.notEqual(settings[0][key], settings[1][key], key);
    const merged = await readFile(join(bench.folder, "kubeconfig"), "utf8");
    for (const text of ["mine", "https://example.com", "skiff-one", "skiff-two", "extra: kept"])
      assert.ok(merged.includes(text), text);
    assert.equal((await stat(join(bench.folder, "kubeconfig"))).mode & 0o777, 0o600);
  } finally {
    for (const name of ["one", "two"]) await skiff(bench, "delete", "--home", home, "--name", name);
  }
  const left = await readFile(join(bench.folder, "kubeconfig"), "utf8");
  assert.ok(left.includes("https://example.com") && !left.includes("skiff-"), left);
  await assert.rejects(stat(home), "the home is gone with its last cluster");
});

test("a port that is taken is named, with what to do", async () => {
  await using bench = await started("ports");
  const { settings } = JSON.parse((await bench.skiff("status", "-o", "json")).stdout);
  await bench.skiff("down");
  for (const port of [settings.apiPort, settings.kubeletPort]) {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    const { code, stderr } = await bench.skiff("up");
    await new Promise((resolve) => server.close(resolve));
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`port ${port}, which the .* needs, is already in use; end what listens there`));
    const wish = createServer().listen(0, "127.0.0.1");
    await once(wish, "listening");
    const address = wish.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    const wished = await bench.run(process.execPath, [
      launcher,
      "up",
      ...simulated,
      "--home",
      join(bench.folder, "home"),
      "--name",
      "other",
      "--api-port",
      String(taken),
    ]);
    await new Promise((resolve) => wish.close(resolve));
    assert.match(wished.stderr, new RegExp(`port ${taken} is already in use; choose another with --api-port`));
  }
  const free = await bench.skiff("up");
  assert.equal(free.code, 0, free.stderr);
});

test("a kubeconfig that is none is left alone", async () => {
  await using bench = await Workbench.create("kubeconfig");
  const file = join(bench.folder, "kubeconfig");
  await writeFile(file, "a: b: c");
  const { code, stderr } = await bench.skiff("up", ...simulated);
  assert.equal(code, 1);
  assert.match(stderr, /kubeconfig is not a kubeconfig; use --kubeconfig FILE for another place/);
  assert.equal(await readFile(file, "utf8"), "a: b: c");
  const elsewhere = await bench.skiff("up", "--kubeconfig", join(bench.folder, "other", "config"));
  assert.equal(elsewhere.code, 0, elsewhere.stderr);
  assert.equal((await stat(join(bench.folder, "other", "config"))).mode & 0o777, 0o600);
  await rm(file);
});

test("a home that cannot be written to", async () => {
  await using bench = await Workbench.create("home");
  await writeFile(join(bench.folder, "file"), "");
  const below = await skiff(bench, "up", ...simulated, "--home", join(bench.folder, "file"));
  assert.equal(below.code, 1);
  assert.match(below.stderr, /^skiff: cannot write to .*; choose another place with --home DIR\n$/);
  if (process.platform === "linux") {
    const nowhere = await skiff(bench, "up", ...simulated, "--home", "/proc/skiff");
    assert.match(nowhere.stderr, /^skiff: cannot write to .*; choose another place with --home DIR\n$/);
  }
});

test("progress: plain lines for programs, a spinner for people", async () => {
  await using bench = await Workbench.create("progress");
  const plain = await assertUp(bench);
  assert.ok(!plain.stderr.includes("\u001b") && !plain.stderr.includes("\r"), plain.stderr);
  assert.match(plain.stderr, /^✓ Preparing cluster "progress" \(\d+\.\d\d s\)\n✓ Starting the API server \(/);
  await bench.skiff("down");
  const words = ["up", "--home", join(bench.folder, "home"), "--name", bench.name];
  const shown = await bench.terminal([process.execPath, launcher, ...words].map((word) => `'${word}'`).join(" "), "");
  assert.equal(shown.code, 0, shown.stdout);
  assert.match(shown.stdout, /⠋ Starting the API server/);
  assert.ok(shown.stdout.includes("\r\u001b[2K✓ Starting the API server"), shown.stdout);
});

test("who is not root is told how to go on, and can use the simulated runtime", { skip: !isRoot }, async () => {
  await using bench = await Workbench.create("somebody");
  await chmod(bench.folder, 0o777);
  const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--", process.execPath, launcher];
  const place = [
    "--home",
    join(bench.folder, "theirs"),
    "--name",
    bench.name,
    "--kubeconfig",
    join(bench.folder, "theirs.kubeconfig"),
  ];
  const run = (...words: readonly string[]) => bench.run("setpriv", [...asNobody, ...words]);
  const readable = await bench.run("setpriv", [...asNobody.slice(0, 4), "test", "-r", launcher]);
  if (readable.code !== 0) return;
  const real = await run("up", ...place);
  assert.equal(real.code, 1);
  assert.match(real.stderr, /Running containers needs root: run it with sudo, or use --runtime simulated/);
  const up = await run("up", ...place, ...simulated);
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stderr, /Runtime: simulated\. Pods are shown as running, but no container is ever started\./);
  await useWithKubectl(bench, join(bench.folder, "theirs.kubeconfig"));
  assert.equal((await run("delete", ...place)).code, 0);
});

/** A deployment's life on pods that exist in memory only. Nothing happens where there is no kubectl. */
async function useWithKubectl(bench: Workbench, config: string): Promise<void> {
  const [program] = kubectls();
  if (program === undefined) return;
  bench.kubectlProgram = program;
  const kubectl = (...words: readonly string[]) => bench.kubectl("--kubeconfig", config, ...words);
  await kubectl("create", "deployment", "web", "--image=nothing", "--replicas=2");
  await kubectl("rollout", "status", "deployment/web", "--timeout=240s");
  await kubectl("scale", "deployment/web", "--replicas=3");
  await kubectl("rollout", "status", "deployment/web", "--timeout=240s");
  const names = async () => (await kubectl("get", "pods", "-o", "name")).trim().split("\n");
  const [first = "", ...others] = await names();
  assert.equal(others.length, 2);
  assert.match(await kubectl("logs", first), /runs \(simulated\)/);
  assert.match(await kubectl("describe", first), /Normal +Started/);
  const refused = await bench.run(program, ["--kubeconfig", config, "exec", first, "--", "tar", "-c", "/"]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /simulated/);
  await kubectl("delete", first, "--timeout=240s");
  await kubectl("rollout", "status", "deployment/web", "--timeout=240s");
  assert.ok(!(await names()).includes(first));
  assert.match(await kubectl("get", "events"), /Scaled up replica set/);
}
