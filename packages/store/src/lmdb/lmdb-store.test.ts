import { silentLogger } from "@skiff/base";
import { embeddedStoreConformance } from "../conformance.ts";
import { openLmdbStore } from "./open.ts";

embeddedStoreConformance("lmdb", ({ clock, folder }) => openLmdbStore({ clock, folder, logger: silentLogger }));
