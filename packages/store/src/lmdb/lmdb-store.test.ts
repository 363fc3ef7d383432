import { silentLogger } from "@skiff/base";
import { storeConformance } from "../conformance.ts";
import { openLmdbStore } from "./open.ts";

storeConformance("lmdb", ({ clock, folder }) => openLmdbStore({ clock, folder, logger: silentLogger }));
