import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normalizeImageName } from "./image-name.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("an image's full name", () => {
  for (const [short, full] of [
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.2", "docker.io/library/nginx:1.2"],
    ["skiff/hello", "docker.io/skiff/hello:latest"],
    ["docker.io/nginx", "docker.io/library/nginx:latest"],
    ["index.docker.io/nginx", "docker.io/library/nginx:latest"],
    ["localhost/x", "localhost/x:latest"],
    ["localhost:5000/x", "localhost:5000/x:latest"],
    ["gcr.io/a/b:c", "gcr.io/a/b:c"],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1@${digest}`, `docker.io/library/nginx:1@${digest}`],
    [digest, digest],
  ] as const) {
    it(short, () => assert.equal(normalizeImageName(short), full));
  }
});
