import { silentLogger } from "@skiff/base";
import { embeddedStoreConformance } from "../conformance.ts";
import { openLmdbStore } from "./open.ts";

embeddedStoreConformance("lmdb on a quick disk", ({ clock, folder }) =>
  openLmdbStore({ clock, folder, logger: silentLogger }),
);
embeddedStoreConformance("lmdb on a slow disk", ({ clock, folder }) =>
  openLmdbStore({ clock, folder, logger: silentLogger, quickDiskMs: 0 }),
);
