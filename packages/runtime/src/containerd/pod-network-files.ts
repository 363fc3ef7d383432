import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findCniPlugins, findProgram, writeFileAtomic } from "@skiff/host";
import { addressFolders, cniConfigList, cniPluginName, type PodNetwork, standardConfigList } from "./cni.ts";
import { loopbackScript, podNetworkScript } from "./cni-plugin.ts";
import type { ContainerdConfig } from "./containerd-config.ts";
import { writeScript } from "./script.ts";

// Not `cni`: the list there is for the machine's own plugins, which a containerd that was started by an older version asks for.
const listFolder = ({ rootDirectory }: ContainerdConfig): string => join(rootDirectory, "cni-lists");
const listFile = (config: ContainerdConfig): string => join(listFolder(config), "10-skiff.conflist");
const scriptFolder = ({ rootDirectory }: ContainerdConfig): string => join(rootDirectory, "cni-bin");

async function machinePlugins(): Promise<string> {
  const folder = await findCniPlugins();
  if (folder === undefined) throw new Error("the CNI plugins are not installed");
  return folder;
}

/** Where a containerd is to look for plugins and for the list of them. */
export interface CniFolders {
  readonly plugins: string;
  readonly lists: string;
}

/**
 * Writes what containerd has to find when it starts. Where the network is not known yet, its list is left to whoever gets to know
 * it, who may have written it by now: nothing of it is taken away here.
 */
export async function preparePodNetwork(config: ContainerdConfig): Promise<CniFolders> {
  const machine = await machinePlugins();
  const isOwn = await writeScript(join(scriptFolder(config), "loopback"), loopbackScript());
  // containerd watches the folder.
  await mkdir(listFolder(config), { recursive: true });
  if (config.network !== undefined) await writePodNetwork(config, config.network);
  return { plugins: isOwn ? scriptFolder(config) : machine, lists: listFolder(config) };
}

/** Says how pods are connected. A containerd that runs takes it up at once. */
export async function writePodNetwork(config: ContainerdConfig, network: PodNetwork): Promise<void> {
  const portmap = join(await machinePlugins(), "portmap");
  const ip = await findProgram("ip");
  if (ip === undefined) throw new Error("iproute2 is not installed");
  const addressFolder = join(addressFolders(config.stateDirectory), network.bridge);
  const isOwn = await writeScript(
    join(scriptFolder(config), cniPluginName),
    podNetworkScript(network, { addressFolder, ip, portmap }),
  );
  const list = isOwn ? cniConfigList(network) : standardConfigList(network, config.stateDirectory);
  await writeFileAtomic(listFile(config), list, { mode: 0o644 });
}
