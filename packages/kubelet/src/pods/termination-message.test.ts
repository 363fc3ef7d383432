import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { it } from "node:test";
import type { ContainerStatus } from "@skiff/runtime";
import { PodFolders } from "./folders.ts";
import { runtimeAnnotations } from "./runtime-labels.ts";
import { terminationMessage } from "./termination-message.ts";

const { signal } = new AbortController();
const pod = { name: "web", namespace: "default", uid: "u1" };
const line = (text: string) => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`;

const ended = (exitCode: number): ContainerStatus => ({
  id: "c1",
  sandboxId: "s1",
  name: "main",
  attempt: 0,
  state: "exited",
  labels: {},
  annotations: { [runtimeAnnotations.terminationMessagePolicy]: "FallbackToLogsOnError" },
  createdAtMs: 1,
  startedAtMs: 2,
  finishedAtMs: 3,
  exitCode,
  reason: "Error",
  message: "",
  imageId: "i",
  imageRef: "i",
  mounts: [],
  userImage: "i",
  logPath: "",
});

it("the end of a log stands for last words once the log is whole, and is not waited for in vain", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-words-"));
  try {
    const folders = new PodFolders({ rootFolder: join(folder, "kubelet"), logFolder: join(folder, "logs") });
    const log = join(folders.podLogs(pod), folders.logPath("main", 0));
    await mkdir(dirname(log), { recursive: true });
    await writeFile(log, line("first"));
    const asked: string[] = [];
    const logWritten = async (id: string) => {
      asked.push(id);
      await appendFile(log, line("last"));
    };
    const parts = { folders, cache: { logWritten } };
    assert.equal(await terminationMessage(parts, pod, ended(0), signal), "");
    assert.deepEqual(asked, []);
    assert.equal(await terminationMessage(parts, pod, ended(3), signal), "first\nlast\n");
    assert.deepEqual(asked, ["c1"]);
    const words = folders.terminationMessage(pod.uid, "main", 0);
    await mkdir(dirname(words), { recursive: true });
    await writeFile(words, "own words");
    assert.equal(await terminationMessage(parts, pod, ended(3), signal), "own words");
    assert.deepEqual(asked, ["c1"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
