import { storeConformance } from "../conformance.ts";
import { openMemoryStore } from "./open.ts";

storeConformance("memory", async ({ clock }) => openMemoryStore({ clock }));
