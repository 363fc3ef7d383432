import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { runPod, sandboxConfig, untilStatus } from "../conformance.ts";
import { RuntimeError } from "../runtime.ts";
import { type ContainerdFixture, startContainerd } from "./containerd-fixture.ts";
import { pauseProgram } from "./pause.ts";

const { signal } = new AbortController();
let fixture: ContainerdFixture;
before(async () => {
  fixture = await startContainerd();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

interface Entry {
  readonly name: string;
  readonly content?: Buffer | string;
  readonly link?: string;
}

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, link } of entries) {
    if (link !== undefined) archive.entry({ name, type: "symlink", linkname: link });
    else archive.entry({ name, mode: 0o755 }, content ?? "");
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(archive)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Two layers, the second with a program that waits. */
async function parts() {
  const layers = [
    await tar([{ name: "note", content: "hello" }]),
    await tar([{ name: "run", content: pauseProgram(process.arch) }]),
  ];
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : "arm64",
      os: "linux",
      config: { Entrypoint: ["/run"], User: "1000" },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${digest(layer)}`) },
    }),
  );
  return { layers, config };
}

async function dockerArchive(tags: readonly string[] | null): Promise<Buffer> {
  const { layers, config } = await parts();
  const manifest = [{ Config: "config.json", RepoTags: tags, Layers: ["a/layer.tar", "b/layer.tar"] }];
  return tar([
    { name: "config.json", content: config },
    { name: "shared.tar", content: layers[0] ?? "" },
    { name: "a/layer.tar", link: "../shared.tar" },
    { name: "b/layer.tar", content: layers[1] ?? "" },
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ]);
}

/** As docker 25 saves: both an OCI index with other platforms, and docker's manifest; layers are gzip. */
async function modernArchive(): Promise<Buffer> {
  const { layers, config } = await parts();
  const packed = layers.map((layer) => gzipSync(layer));
  const path = (bytes: Buffer) => `blobs/sha256/${digest(bytes)}`;
  const describeBlob = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: `sha256:${digest(bytes)}`,
    size: bytes.length,
  });
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: describeBlob("application/vnd.oci.image.config.v1+json", config),
      layers: packed.map((layer) => describeBlob("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
    }),
  );
  const architecture = process.arch === "x64" ? "amd64" : "arm64";
  const indexType = "application/vnd.oci.image.index.v1+json";
  const inner = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        {
          mediaType: type,
          digest: `sha256:${"0".repeat(64)}`,
          size: 2,
          platform: { os: "linux", architecture: "s390x" },
        },
        { ...describeBlob(type, manifest), platform: { os: "linux", architecture } },
        {
          mediaType: type,
          digest: `sha256:${"1".repeat(64)}`,
          size: 2,
          platform: { os: "unknown", architecture: "unknown" },
        },
      ],
    }),
  );
  const annotations = {
    "io.containerd.image.name": "docker.io/test/modern:1",
    "org.opencontainers.image.ref.name": "1",
  };
  const index = { schemaVersion: 2, manifests: [{ ...describeBlob(indexType, inner), annotations }] };
  const docker = [{ Config: path(config), RepoTags: ["test/modern:1", "test/modern:extra"], Layers: packed.map(path) }];
  return tar([
    ...[config, ...packed, manifest, inner].map((bytes) => ({ name: path(bytes), content: bytes })),
    { name: "index.json", content: JSON.stringify(index) },
    { name: "manifest.json", content: JSON.stringify(docker) },
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
  ]);
}

const importing = (bytes: Buffer) => fixture.runtime.importImage(Readable.from([bytes]), signal);

describe("importing an image", () => {
  it("reads docker's older archives, with links between layers and several tags, and runs them", async () => {
    const names = await importing(await dockerArchive(["test/old:1", "localhost:5000/old:2"]));
    assert.deepEqual(names, ["docker.io/test/old:1", "localhost:5000/old:2"]);
    const image = await fixture.runtime.imageStatus("test/old:1", signal);
    assert.deepEqual([image?.uid, [...(image?.repoTags ?? [])].sort()], [1000, [...names].sort()]);
    const subject = { ...fixture.subject, image: "test/old:1" };
    await using pod = await runPod(subject, sandboxConfig(subject), {}, signal);
    await fixture.runtime.stopContainer(pod.containerId, 5, signal);
    assert.equal((await untilStatus(subject, pod.containerId, ({ state }) => state === "exited", signal)).exitCode, 0);
  });

  it("reads gzip archives of today's docker, and takes one name of two away", async () => {
    const names = await importing(gzipSync(await modernArchive()));
    assert.deepEqual(names, ["docker.io/test/modern:1", "docker.io/test/modern:extra"]);
    await fixture.runtime.removeImage("test/modern:1", signal);
    for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 10) {
      if ((await fixture.runtime.imageStatus("test/modern:1", signal)) === undefined) break;
      await fixture.subject.clock.sleep(10, signal);
    }
    assert.equal(await fixture.runtime.imageStatus("test/modern:1", signal), undefined);
    assert.notEqual(await fixture.runtime.imageStatus("test/modern:extra", signal), undefined);
    await fixture.runtime.removeImage("test/modern:extra", signal);
    assert.equal(await fixture.runtime.imageStatus("test/modern:extra", signal), undefined);
  });

  it("can be repeated, also at the same time", async () => {
    const bytes = await dockerArchive(["test/twice:1"]);
    await Promise.all([importing(bytes), importing(bytes)]);
    assert.deepEqual(await importing(bytes), ["docker.io/test/twice:1"]);
  });

  it("keeps an image without a name under its digest", async () => {
    const [name = ""] = await importing(await dockerArchive(null));
    assert.match(name, /^docker\.io\/library\/unnamed@sha256:[0-9a-f]{64}$/);
    assert.notEqual(await fixture.runtime.imageStatus(name, signal), undefined);
  });

  it("refuses what is no image", async () => {
    const invalid = (error: unknown) => error instanceof RuntimeError && error.code === "INVALID_ARGUMENT";
    await assert.rejects(importing(Buffer.alloc(0)), invalid);
    await assert.rejects(importing(await tar([{ name: "readme", content: "no image" }])), invalid);
    const truncated = (await dockerArchive(["test/cut:1"])).subarray(0, 3000);
    await assert.rejects(importing(truncated), invalid);
    await assert.rejects(
      importing(Buffer.from("this is not even a tar archive".repeat(100))),
      (error) => error instanceof Error,
    );
  });
});
