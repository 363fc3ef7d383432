import type { GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput } from "../command-line.ts";

/** What speaks with the runtime is loaded only for these commands. */
const work = () => import("./image-work.ts");

/** `skiff image load|list|remove`: the images that a cluster's node holds. */
export const imageCommand: DefineCommand = (program, context) => {
  const image = program.command("image").description("bring images to the node, list and remove them");
  const load = image
    .command("load")
    .description("load images from archives (OCI layout or docker save, plain or gzip; - for standard input)")
    .argument("<file...>");
  withCluster(load, context).action(async (files: readonly string[], flags: GlobalOptions) =>
    (await work()).loadImages(files, flags, context),
  );
  withOutput(withCluster(image.command("list").alias("ls").description("list the node's images"), context)).action(
    async (flags: GlobalOptions) => (await work()).listImages(flags, context),
  );
  const remove = image.command("remove").alias("rm").description("remove images from the node").argument("<image...>");
  withCluster(remove, context).action(async (names: readonly string[], flags: GlobalOptions) =>
    (await work()).removeImages(names, flags, context),
  );
};
