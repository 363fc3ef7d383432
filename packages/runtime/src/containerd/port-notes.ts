/**
 * Notes that the pods' network plugin keeps among addresses: one for each sandbox with ports of the node, with what `portmap` was
 * told of it. Its rules outlive the sandbox where nobody ends that in order, and would lead the ports to nowhere.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { findCniPlugins, type Processes } from "@skiff/host";
import { addressFolders } from "./cni.ts";

/** What the names of notes begin with; the sandbox's id follows. */
export const portNotePrefix = "ports.";

/** Takes away the rules that a note tells of, and then the note. One whose rules stay is kept. */
export async function removePortRules(note: string, processes: Processes, signal: AbortSignal): Promise<void> {
  const folder = await findCniPlugins();
  const stdin = await readFile(note, "utf8").catch(() => undefined);
  if (folder === undefined || stdin === undefined) return;
  const env = {
    PATH: process.env.PATH,
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: basename(note).slice(portNotePrefix.length),
    CNI_IFNAME: "eth0",
    CNI_NETNS: "",
    CNI_PATH: folder,
  };
  const { code } = await processes.run(join(folder, "portmap"), { args: [], env, stdin, timeoutMs: 20_000 }, signal);
  if (code === 0) await rm(note, { force: true });
}

/** Takes away the rules of all pods of a node that runs no more. */
export async function removeAllPortRules(
  { stateDirectory }: { readonly stateDirectory: string },
  processes: Processes,
  signal: AbortSignal,
): Promise<void> {
  const networks = addressFolders(stateDirectory);
  for (const network of await readdir(networks).catch(() => [])) {
    for (const name of await readdir(join(networks, network)).catch(() => []))
      if (name.startsWith(portNotePrefix)) await removePortRules(join(networks, network, name), processes, signal);
  }
}
