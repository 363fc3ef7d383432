import { embeddedStoreConformance } from "../conformance.ts";
import { openMemoryStore } from "./open.ts";

embeddedStoreConformance("memory", async ({ clock }) => openMemoryStore({ clock }));
