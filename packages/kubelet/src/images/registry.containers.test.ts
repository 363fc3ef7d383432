/** Images from a real registry: without TLS, with an authority of its own, with logins. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { helloImage } from "@skiff/runtime";
import { TestAuthority } from "../fixtures/certificates.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { TestRegistry } from "../fixtures/registry.ts";
import { parseCredentialProviders } from "./credential-provider-config.ts";

const { signal } = new AbortController();
let folder = "";
let open: TestRegistry;
let secure: TestRegistry;
let guarded: TestRegistry;
let machine: ContainerdNode;
let digest = "";
let index = "";

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
const hello = (version: 1 | 2) => helloImage(version, systemProcesses, signal);

/** Notes what it is asked, and gives the right login to the pods of one account. */
const provider = `#!/bin/sh
read -r request
echo "$request" >>"$(dirname "$0")/asked"
case $request in *team-blue*) password=right ;; *) password=wrong ;; esac
echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Image",
"auth":{"127.0.0.1:*/plugin":{"username":"none"},"'$HOST'/plugin":{"username":"user","password":"'$password'"}}}'
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skiff-images-"));
  const authority = await TestAuthority.create();
  open = await TestRegistry.start();
  secure = await TestRegistry.start({ tls: await authority.sign("CN=registry", "127.0.0.1") });
  guarded = await TestRegistry.start({ login: true });
  digest = await open.push("team/app:1", await hello(1));
  const other = await open.push("team/other:1", await hello(2));
  await open.push("team/app:2", await hello(2));
  const sized = async (one: string) => ({ digest: one, size: await open.manifestSize("team/app", one) });
  index = await open.pushIndex("team/app:all", {
    s390x: await sized(other),
    [process.arch === "x64" ? "amd64" : "arm64"]: await sized(digest),
  });
  await secure.push("team/app:1", await hello(1));
  for (const name of ["team/secret:1", "team/shared:1", "plugin/app:1"]) await guarded.push(name, await hello(1));
  const ca = join(folder, "ca.pem");
  await writeFile(ca, authority.cert);
  await mkdir(join(folder, "plugins"));
  await writeFile(join(folder, "plugins/blue"), provider);
  await chmod(join(folder, "plugins/blue"), 0o755);
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1",
    kind: "CredentialProviderConfig",
    providers: [
      {
        name: "blue",
        apiVersion: "credentialprovider.kubelet.k8s.io/v1",
        matchImages: [`${guarded.host}/plugin`],
        defaultCacheDuration: "1h",
        env: [{ name: "HOST", value: guarded.host }],
        tokenAttributes: {
          serviceAccountTokenAudience: "registry",
          cacheType: "ServiceAccount",
          requireServiceAccount: true,
          optionalServiceAccountAnnotationKeys: ["example.com/team"],
        },
      },
    ],
  };
  machine = await startContainerdNode(undefined, undefined, {
    registries: [
      { host: open.host, mirrors: [], insecure: true },
      { host: guarded.host, mirrors: [], insecure: true },
      { host: secure.host, mirrors: [], insecure: false, ca },
      { host: "far.example", mirrors: [`http://${open.host}`], insecure: false },
      { host: "mirrored.example", mirrors: [`https://${secure.host}`], insecure: false, skipVerify: true },
    ],
    imageCredentialProviders: { folder: join(folder, "plugins"), providers: parseCredentialProviders([config]) },
  });
  const { api } = machine.node;
  const secret = (name: string, password: string) =>
    api.put("secrets", {
      metadata: { name, namespace: "default" },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": base64({ auths: { [guarded.host]: { username: "user", password } } }) },
    });
  secret("right", "right");
  secret("wrong", "wrong");
  api.put("secrets", {
    metadata: { name: "old", namespace: "default" },
    type: "kubernetes.io/dockercfg",
    data: {
      ".dockercfg": base64({ [`http://${guarded.host}/v2/`]: { auth: Buffer.from("user:right").toString("base64") } }),
    },
  });
  for (const [name, team] of [
    ["blue", "team-blue"],
    ["red", "team-red"],
  ])
    api.put("serviceaccounts", {
      metadata: { name, namespace: "default", annotations: { "example.com/team": team } },
    });
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  for (const registry of [open, secure, guarded]) await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!condition()) {
    assert.ok(systemClock.monotonic() < endMs, `${what}: not in time\n${machine.warnings.join("\n")}`);
    await systemClock.sleep(10, signal);
  }
}

let count = 0;

interface Run {
  readonly image: string;
  readonly policy?: "Always" | "IfNotPresent" | "Never";
  readonly secrets?: readonly string[];
  readonly account?: string;
  readonly spec?: Partial<Pod["spec"]>;
}

/** Runs a pod until its container is up or its image cannot be had; gives its events, its state, and how to remove it. */
async function run({ image, policy = "IfNotPresent", secrets = [], account, spec = {} }: Run) {
  const name = `p${count++}`;
  const command = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"];
  machine.node.create(name, {
    ...spec,
    imagePullSecrets: secrets.map((one) => ({ name: one })),
    ...(account === undefined ? {} : { serviceAccountName: account }),
    containers: [{ name: "main", image, imagePullPolicy: policy, command, ...spec.containers?.[0] }],
  });
  const state = () => machine.node.pod(name)?.status?.containerStatuses?.[0];
  const waiting = () => state()?.state?.waiting;
  const settled = () => waiting()?.reason !== undefined && waiting()?.reason !== "ContainerCreating";
  const ended = () => state()?.state?.terminated !== undefined;
  await until(() => state()?.state?.running !== undefined || settled() || ended(), `${name} ${image}`);
  const events = () =>
    machine.node.events.filter((one) => one.name === name).map(({ reason, message }) => `${reason}: ${message}`);
  return {
    name,
    state,
    waiting,
    events,
    runs: () => state()?.state?.running !== undefined,
    async [Symbol.asyncDispose]() {
      await machine.node.delete(name, 1);
      await until(() => machine.node.pod(name) === undefined, `${name} goes`);
    },
  };
}

const pulledNow = (events: readonly string[]) => events.some((one) => one.startsWith("Pulled: Successfully pulled"));
const forget = (image: string) => machine.runtime.removeImage(image, signal);

describe("a registry", () => {
  it("without TLS gives an image, and the pod says which one it has", async () => {
    const image = `${open.host}/team/app:1`;
    await using pod = await run({ image });
    assert.ok(pod.runs());
    assert.equal(pod.state()?.image, image);
    assert.equal(pod.state()?.imageID, `${open.host}/team/app@${digest}`);
    const [pulling, pulled] = pod.events().filter((one) => one.startsWith("Pull"));
    assert.equal(pulling, `Pulling: Pulling image "${image}"`);
    assert.match(
      pulled ?? "",
      /^Pulled: Successfully pulled image "[^"]+" in \d[\d.]*m?s \(\d[\d.]*m?s including waiting\)\. Image size: \d+ bytes\.$/,
    );
    await using second = await run({ image });
    assert.ok(
      second
        .events()
        .includes(`Pulled: Container image "${image}" already present on machine and can be accessed by the pod`),
    );
  });

  it("gives images by digest, by tag and digest, and from indexes for several architectures", async () => {
    for (const end of [`@${digest}`, `:1@${digest}`]) {
      await using pod = await run({ image: `${open.host}/team/app${end}`, policy: "Always" });
      assert.ok(pod.runs(), JSON.stringify(pod.waiting()));
      assert.ok(pulledNow(pod.events()));
      assert.equal(pod.state()?.imageID, `${open.host}/team/app@${digest}`);
    }
    const command = ["sh", "-c", "echo $VERSION >/dev/termination-log"];
    const spec = { restartPolicy: "Never", containers: [{ name: "main", command }] };
    await using pod = await run({ image: `${open.host}/team/app:all`, spec });
    await until(() => pod.state()?.state?.terminated !== undefined, "ends");
    assert.equal(pod.state()?.state?.terminated?.message, "1\n");
    const held = await machine.runtime.imageStatus(`${open.host}/team/app:all`, signal);
    assert.ok(held?.repoDigests.includes(`${open.host}/team/app@${index}`));
  });

  it("with an authority of its own is trusted by that, and only by that", async () => {
    await using pod = await run({ image: `${secure.host}/team/app:1` });
    assert.ok(pod.runs(), JSON.stringify(pod.waiting()));
    await using mirrored = await run({ image: "mirrored.example/team/app:1" });
    assert.ok(mirrored.runs(), JSON.stringify(mirrored.waiting()));
  });

  it("is asked through a mirror", async () => {
    await using pod = await run({ image: "far.example/team/other:1" });
    assert.ok(pod.runs(), JSON.stringify(pod.waiting()));
  });

  it("that has no such image says so, then the kubelet waits", async () => {
    const image = `${open.host}/team/none:7`;
    await using pod = await run({ image });
    const why = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
    assert.deepEqual(pod.waiting(), { reason: "ErrImagePull", message: `rpc error: code = NotFound desc = ${why}` });
    await until(() => pod.waiting()?.reason === "ImagePullBackOff", "backs off");
    assert.deepEqual(pod.waiting(), {
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "${image}": ErrImagePull: rpc error: code = NotFound desc = ${why}`,
    });
    const expected = [
      `Pulling: Pulling image "${image}"`,
      `Failed: Failed to pull image "${image}": rpc error: code = NotFound desc = ${why}`,
      "Failed: Error: ErrImagePull",
      `BackOff: Back-off pulling image "${image}"`,
      "Failed: Error: ImagePullBackOff",
    ];
    const seen = pod.events().filter((one) => /^(Pulling|Failed|BackOff)/.test(one));
    assert.deepEqual(seen.slice(0, expected.length), expected);
    await open.push("team/none:7", await hello(1));
    await until(pod.runs, "is tried again after ten seconds");
  });

  it("that is down", async () => {
    const image = `${open.host}/team/app:1`;
    await open.stop();
    await using always = await run({ image, policy: "Always" });
    assert.equal(always.waiting()?.reason, "ErrImagePull");
    assert.match(always.waiting()?.message ?? "", /^rpc error: code = \w+ desc = .*connection refused$/);
    await using present = await run({ image });
    assert.ok(present.runs(), JSON.stringify(present.waiting()));
    await using never = await run({ image, policy: "Never" });
    assert.ok(never.runs());
    await open.start();
    await until(always.runs, "is tried again");
  });

  it("is not asked where the policy is Never", async () => {
    const image = `${open.host}/team/absent:1`;
    await using pod = await run({ image, policy: "Never" });
    const message = `Container image "${image}" is not present with pull policy of Never`;
    assert.deepEqual(pod.waiting(), { reason: "ErrImageNeverPull", message });
    const said = pod.events().filter((one) => one.startsWith("ErrImage") || one.startsWith("Failed"));
    assert.deepEqual(said.slice(0, 2), [`ErrImageNeverPull: ${message}`, "Failed: Error: ErrImageNeverPull"]);
  });

  it("is not asked about what is no name", async () => {
    await using pod = await run({ image: `${open.host}/Team/app:1` });
    assert.equal(pod.waiting()?.reason, "InvalidImageName");
    const image = `${open.host}/Team/app:1`;
    assert.equal(
      pod.waiting()?.message,
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format: repository name (Team/app) must be lowercase`,
    );
  });

  it("gives images as volumes", async () => {
    const command = ["sh", "-c", "cat /v/www/healthz >/dev/termination-log; sleep 0.1"];
    await using pod = await run({
      image: `${open.host}/team/app:1`,
      spec: {
        restartPolicy: "Never",
        volumes: [{ name: "v", image: { reference: `${open.host}/team/other:1`, pullPolicy: "Always" } }],
        containers: [{ name: "main", command, volumeMounts: [{ name: "v", mountPath: "/v" }] }],
      },
    });
    await until(() => pod.state()?.state?.terminated !== undefined, "ends");
    assert.equal(pod.state()?.state?.terminated?.message, "ok\n");
  });
});

describe("a registry that wants logins", () => {
  const image = () => `${guarded.host}/team/secret:1`;

  it("refuses those who have none or a wrong one, in its own words", async () => {
    await using none = await run({ image: image() });
    assert.equal(none.waiting()?.reason, "ErrImagePull");
    const place = `failed to pull and unpack image "${image()}": failed to resolve reference "${image()}"`;
    const message = none.waiting()?.message ?? "";
    assert.ok(message.startsWith(`rpc error: code = Unknown desc = ${place}: `), message);
    assert.match(message, /401 Unauthorized|authorization failed|no basic auth/);
    await using wrong = await run({ image: image(), secrets: ["wrong"] });
    assert.match(wrong.waiting()?.message ?? "", /401 Unauthorized|authorization failed/);
    await using missing = await run({ image: image(), secrets: ["nosuch", "wrong"] });
    assert.ok(
      missing
        .events()
        .includes(
          "FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (nosuch); attempting to pull the image may not succeed.",
        ),
    );
  });

  it("lets those in who have the right one, of either type, also behind a wrong one", async () => {
    for (const secrets of [["right"], ["old"], ["wrong", "right"]]) {
      await forget(image());
      await using pod = await run({ image: image(), secrets });
      assert.ok(pod.runs(), JSON.stringify(pod.waiting()));
      assert.ok(pulledNow(pod.events()));
    }
  });

  it("gives images to those who showed a login, and to nobody else on the node", async () => {
    const shared = `${guarded.host}/team/shared:1`;
    await using owner = await run({ image: shared, secrets: ["right"] });
    assert.ok(owner.runs(), JSON.stringify(owner.waiting()));
    await using stranger = await run({ image: shared });
    assert.equal(stranger.waiting()?.reason, "ErrImagePull");
    await using quiet = await run({ image: shared, policy: "Never" });
    assert.equal(quiet.waiting()?.reason, "ErrImageNeverPull");
    await using friend = await run({ image: shared, secrets: ["old"] });
    assert.ok(friend.runs(), JSON.stringify(friend.waiting()));
    assert.equal(pulledNow(friend.events()), false, "the same login of another secret needs no pull");
    await machine.node.stopAgent();
    await machine.node.startAgent();
    await using later = await run({ image: shared });
    assert.equal(later.waiting()?.reason, "ErrImagePull", "also after a restart");
  });

  it("is logged in to by a credential provider, by the pod's account", async () => {
    const plugin = `${guarded.host}/plugin/app:1`;
    await using red = await run({ image: plugin, account: "red" });
    assert.equal(red.waiting()?.reason, "ErrImagePull");
    await using blue = await run({ image: plugin, account: "blue" });
    assert.ok(blue.runs(), JSON.stringify(blue.waiting()));
    await using again = await run({ image: plugin, account: "blue" });
    assert.equal(pulledNow(again.events()), false);
    await using other = await run({ image: plugin, account: "red" });
    assert.equal(other.waiting()?.reason, "ErrImagePull");
  });
});
