import { join } from "node:path";
import { criNamespace } from "./native.ts";
import { shellWord, writeScript } from "./script.ts";

/** The program that keeps a pod's containers for containerd, which finds it by this name in its `PATH`. */
export const shimProgram = "containerd-shim-runc-v2";

/** Where runc keeps what it knows of containerd's containers; not among containerd's settings. */
const runcState = `/run/containerd/runc/${criNamespace}`;

/**
 * A script in place of the shim's program. Whenever containerd lets go of a container, it calls the program once more with the
 * word `delete`, which is meant for a shim that died; the program then calls `runc delete`. After an orderly end there
 * is nothing left for the two: a fifth of all the work of taking a pod down. Then the script answers itself, with
 * what the program says of every container: that it was killed (DeleteResponse.exit_status = 137).
 */
export const shimScript = (program: string, state = runcState): string => `#!/bin/sh
# Written by skiff at every start of containerd.
id= previous=
for word; do
  [ "$previous" = -id ] && id=$word
  previous=$word
done
if [ "$previous" = delete ] && [ -n "$id" ] && [ -d ${shellWord(state)} ] && [ ! -e ${shellWord(state)}/"$id" ]; then
  printf '\\020\\211\\001'
  exit 0
fi
exec ${shellWord(program)} "$@"
`;

/** Writes the script and gives the folder to look for it in; none where programs may not be run from there (`noexec`). */
export async function writeShimScript(rootDirectory: string, program: string): Promise<readonly string[]> {
  const folder = join(rootDirectory, "bin");
  return (await writeScript(join(folder, shimProgram), shimScript(program))) ? [folder] : [];
}
