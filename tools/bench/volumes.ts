import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigMaps, Pods } from "@skiff/api";
import { systemClock } from "@skiff/base";
import type { Client } from "@skiff/client";
import { type BenchRow, median, spread } from "./row.ts";

const never = new AbortController().signal;
const changes = 20;
const limitMs = 30_000;
const place = { namespace: "default", name: "bench-files" };

/** How long it takes until a change of a ConfigMap is in the file of a running pod. `podsFolder` is the node's. */
export async function volumeRows(client: Client, podsFolder: string): Promise<BenchRow[]> {
  process.stderr.write(`cluster: ${changes} changes of a mounted ConfigMap\n`);
  await client.create(ConfigMaps, { metadata: place, data: { key: "0" } }, { signal: never });
  const { metadata } = await client.create(
    Pods,
    {
      metadata: place,
      spec: {
        containers: [
          {
            name: "hello",
            image: "skiff/hello:1",
            volumeMounts: [{ name: "files", mountPath: "/files", readOnly: true }],
          },
        ],
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: "files", configMap: { name: place.name } }],
      },
    },
    { signal: never },
  );
  const file = join(podsFolder, metadata.uid, "volumes/kubernetes.io~configmap/files/key");
  const shows = async (value: string): Promise<void> => {
    const endMs = performance.now() + limitMs;
    while ((await readFile(file, "utf8").catch(() => "")) !== value) {
      if (performance.now() > endMs) throw new Error(`${file} does not show ${value}`);
      await systemClock.sleep(2, never);
    }
  };
  await shows("0");
  const times: number[] = [];
  for (let turn = 1; turn <= changes; turn++) {
    const startMs = performance.now();
    await client.patch(ConfigMaps, place, { data: { key: String(turn) } }, { type: "merge", signal: never });
    await shows(String(turn));
    times.push(performance.now() - startMs);
  }
  await client.delete(Pods, place, { gracePeriodSeconds: 0, signal: never });
  await client.delete(ConfigMaps, place, { signal: never });
  return [
    {
      what: "volume: change of a ConfigMap to file in the pod",
      value: Math.round(median(times)),
      unit: "ms",
      floor: undefined,
      ceiling: 2000,
      detail: spread(times, 0),
    },
  ];
}
