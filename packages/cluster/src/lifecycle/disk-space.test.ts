import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { clusterPaths } from "../settings/paths.ts";
import { fullDisks, fullDiskText } from "./disk-space.ts";

it("tells of a disk that is too full for the node's thresholds, before there is a cluster and after", async () => {
  const home = await mkdtemp(join(tmpdir(), "skiff-disk-"));
  try {
    const paths = clusterPaths(home, "one");
    const configure = (threshold: string) =>
      writeFile(
        paths.kubeletConfiguration,
        `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: {nodefs.available: "${threshold}"}\n`,
      );
    await mkdir(paths.root);
    await configure("1");
    assert.deepEqual(await fullDisks(paths), []);
    // Nothing is ever wholly free.
    await configure("100%");
    const [full, ...others] = await fullDisks(paths);
    assert.deepEqual(others, []);
    assert.equal(full?.signal, "nodefs.available");
    const { text, advice } = fullDiskText([{ signal: "nodefs.available", threshold: "10%", leftPercent: 4 }], paths);
    assert.match(text, /nodefs\.available is 4 %, less than 10%\. The node has DiskPressure/);
    assert.match(advice, /evictionHard\) in .*one\/kubelet\.yaml$/);
    const none = clusterPaths(join(home, "not-yet"), "two");
    assert.ok((await fullDisks(none)).every(({ signal }) => /fs\./.test(signal)));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
