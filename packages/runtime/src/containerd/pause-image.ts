import type { Readable } from "node:stream";
import { buildImage } from "../image-builder.ts";
import { goArchitecture } from "./image-archive.ts";
import { pauseProgram } from "./pause.ts";

/** Name of the image that every pod's sandbox runs. */
export const pauseImageName = "docker.io/skiff/pause:1";

/** The sandbox's image, as an archive. */
export const pauseImage = (architecture: NodeJS.Architecture): Readable =>
  buildImage({
    names: [pauseImageName],
    architecture: goArchitecture(architecture),
    files: [{ kind: "file", path: "/pause", mode: 0o755, content: pauseProgram(architecture) }],
    config: { entrypoint: ["/pause"], env: [] },
  });
