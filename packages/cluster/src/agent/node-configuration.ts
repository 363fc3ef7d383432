import { access, constants, readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { describeError, isJsonObject, type JsonObject } from "@skiff/base";
import {
  type CredentialProviders,
  defaultConfiguration,
  type KubeletConfiguration,
  parseCredentialProviders,
  parseKubeletConfiguration,
} from "@skiff/kubelet";
import { parse } from "yaml";
import { ClusterError } from "../settings/cluster-error.ts";
import { type KubeletArgs, withArgs } from "./kubelet-args.ts";

const empty = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };

/**
 * The node's configuration: what its file says (YAML or JSON), with the options of the command over it; the defaults where
 * nothing is said. Throws `ClusterError`.
 */
export async function readNodeConfiguration(
  path: string,
  args: KubeletArgs = { configuration: {} },
): Promise<KubeletConfiguration> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ClusterError("HOME_UNREADABLE", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  const isPlain = text === undefined && Object.keys(args.configuration).length === 0;
  if (isPlain) return defaultConfiguration;
  try {
    const read: unknown = text === undefined ? empty : parse(text);
    return parseKubeletConfiguration(isJsonObject(read) ? withArgs(read, args.configuration) : read);
  } catch (error) {
    throw new ClusterError("SETTINGS_DAMAGED", `${path}: ${describeError(error)}`, { cause: error });
  }
}

/** The programs that give logins for images, where the options name any. Throws `ClusterError`. */
export async function readCredentialProviders({
  credentialProviders,
}: KubeletArgs): Promise<CredentialProviders | undefined> {
  if (credentialProviders === undefined) return undefined;
  const { config, folder } = credentialProviders;
  try {
    const texts = await Promise.all((await configFiles(config)).map((file) => readFile(file, "utf8")));
    const configs = texts.map((text): JsonObject => {
      const value: unknown = parse(text);
      return isJsonObject(value) ? value : {};
    });
    const providers = parseCredentialProviders(configs);
    for (const { name } of providers)
      await access(join(folder, name), constants.X_OK).catch((cause: unknown) => {
        throw new Error(`plugin binary executable ${join(folder, name)} did not exist`, { cause });
      });
    return { folder, providers };
  } catch (error) {
    throw new ClusterError("SETTINGS_DAMAGED", `${config}: ${describeError(error)}`, { cause: error });
  }
}

/** A file, or those of a folder, in the order of their names. */
async function configFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => [".json", ".yaml", ".yml"].includes(extname(name))).sort();
  if (names.length === 0) throw new Error(`no configuration files found in directory ${JSON.stringify(path)}`);
  return names.map((name) => join(path, name));
}
