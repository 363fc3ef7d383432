import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

/** The path of the API server that makes it copy its store to a new folder, whose path it answers. Administrators only. */
export const snapshotPath = "/skiff/snapshot";

/** An empty folder for a copy of the store, on the disk where the store is. */
export const newSnapshotFolder = (root: string): Promise<string> => mkdtemp(join(root, "snapshot-"));
