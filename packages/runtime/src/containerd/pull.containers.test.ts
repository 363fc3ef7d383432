import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { RuntimeError } from "../runtime.ts";
import { type ContainerdFixture, startContainerd } from "./containerd-fixture.ts";

const { signal } = new AbortController();
const blobs = new Map<string, Buffer>();
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const store = (bytes: Buffer) => {
  blobs.set(digestOf(bytes), bytes);
  return { digest: digestOf(bytes), size: bytes.length };
};

const manifestType = "application/vnd.oci.image.manifest.v1+json";
// Two blocks of zeros: an empty tar archive.
const layer = Buffer.alloc(1024);
const config = store(
  Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : "arm64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  ),
);
const manifest = store(
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...store(gzipSync(layer)) }],
    }),
  ),
);

/** A registry with one image, `team/app:1`; `team/secret` wants a password. */
const registry = (): Server =>
  createServer((request, response) => {
    const [, name, kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(request.url ?? "") ?? [];
    const authorized = request.headers.authorization === `Basic ${Buffer.from("user:pass").toString("base64")}`;
    const bytes = blobs.get(kind === "manifests" && reference === "1" ? manifest.digest : reference);
    if (name === "team/secret" && !authorized) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
    } else if (bytes === undefined) response.writeHead(404).end();
    else {
      const type = kind === "manifests" ? manifestType : "application/octet-stream";
      const headers = {
        "content-type": type,
        "content-length": bytes.length,
        "docker-content-digest": digestOf(bytes),
      };
      response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : bytes);
    }
  });

describe("pulling an image", () => {
  const server = registry();
  let fixture: ContainerdFixture;
  let host = "";
  before(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    host = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    fixture = await startContainerd([
      { host, mirrors: [], insecure: true },
      { host: "registry.example", mirrors: [`http://${host}`], insecure: false },
    ]);
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await fixture[Symbol.asyncDispose]();
  });

  it("reaches a local registry without TLS", async () => {
    assert.equal(await fixture.runtime.pullImage(`${host}/team/app:1`, undefined, signal), config.digest);
    const image = await fixture.runtime.imageStatus(`${host}/team/app:1`, signal);
    assert.deepEqual(image?.repoDigests, [`${host}/team/app@${manifest.digest}`]);
  });

  it("asks a mirror first", async () => {
    assert.equal(await fixture.runtime.pullImage("registry.example/team/app:1", undefined, signal), config.digest);
  });

  it("logs in", async () => {
    const auth = { username: "user", password: "pass" };
    assert.equal(await fixture.runtime.pullImage(`${host}/team/secret:1`, auth, signal), config.digest);
  });

  it("says what the registry said", async () => {
    await assert.rejects(
      fixture.runtime.pullImage(`${host}/team/nosuch:9`, undefined, signal),
      (error) =>
        error instanceof RuntimeError && error.code === "NOT_FOUND" && /team\/nosuch:9: not found/.test(error.message),
    );
    await assert.rejects(
      fixture.runtime.pullImage(`${host}/team/secret:1`, undefined, signal),
      (error) => error instanceof RuntimeError && /401|authorization failed|no basic auth/.test(error.message),
    );
  });
});
