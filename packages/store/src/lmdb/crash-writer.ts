/*
 * The child of `crash.test.ts`: opens the store in the folder given, commits with several writers until it is killed, and
 * writes a line for each commit that was acknowledged: `writer sequence revision`.
 */
import { writeSync } from "node:fs";
import { silentLogger, systemClock } from "@skiff/base";
import { openLmdbStore } from "./open.ts";

/** How many keys one commit writes: all of them or none must be found. */
export const keysPerCommit = 3;

const writers = 8;

if (import.meta.main) {
  const [, , folder = "", round = "0"] = process.argv;
  const store = await openLmdbStore({ folder, clock: systemClock, logger: silentLogger });
  const write = async (writer: number): Promise<never> => {
    for (let sequence = 1; ; sequence++) {
      const value = Buffer.from(`${round} ${sequence} ${"x".repeat((sequence * 37) % 3000)}`);
      const operations = Array.from({ length: keysPerCommit }, (_, index) => {
        return { kind: "put", key: `${writer}/${index}`, value } as const;
      });
      const { revision } = await store.commit({ compare: [], operations });
      writeSync(1, `${writer} ${sequence} ${revision}\n`);
      if (writer === 0 && sequence % 50 === 0) await store.compact(Math.max(1, revision - 100));
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
}
