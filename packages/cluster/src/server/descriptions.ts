import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Descriptions } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

const name = "descriptions.json.gz";

/** Beside the program in a release; where the build leaves it, when the program runs from its sources. */
const places = [join(import.meta.dirname, name), join(import.meta.dirname, "../../../cli/dist", name)];

/** What `kubectl explain` shows of fields, from the file that the build makes; `undefined` where that is not there. */
export async function readDescriptions(): Promise<Descriptions | undefined> {
  for (const place of places) {
    try {
      const text = (await promisify(gunzip)(await readFile(place))).toString("utf8");
      const value: unknown = JSON.parse(text);
      if (isDescriptions(value)) return value;
    } catch {
      // Not there, or broken: what fields are for is nothing that a cluster needs to run.
    }
  }
  return undefined;
}

const isDescriptions = (value: unknown): value is Descriptions =>
  isJsonObject(value) && Object.values(value).every((texts) => isJsonObject(texts));
