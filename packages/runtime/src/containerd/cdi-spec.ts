import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { parse } from "yaml";
import type { ContainerConfig, Device, Mount } from "../runtime.ts";

/** Where vendors lay their specifications; later folders outdo earlier ones. */
const folders = ["/etc/cdi", "/var/run/cdi"];

/** A device of the Container Device Interface cannot be given to a container. */
export class CdiError extends Error {
  override readonly name = "CdiError";
  readonly code = "CDI_FAILED";
}

/** What a device changes in a container. */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly devices: readonly Device[];
  readonly mounts: readonly Mount[];
}

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const objects = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];
const texts = (value: JsonValue | undefined): readonly string[] => (Array.isArray(value) ? value.map(text) : []);

/** What this side can do itself. Hooks and the like are the runtime's, from containerd 1.7 on. */
const understood = new Set(["env", "deviceNodes", "mounts"]);

function editsOf(value: JsonValue | undefined, who: string): CdiEdits {
  const edits = isJsonObject(value) ? value : {};
  const foreign = Object.keys(edits).find((name) => !understood.has(name));
  if (foreign !== undefined)
    throw new CdiError(`CDI device ${who} has ${foreign}, which needs containerd 1.7 or newer`);
  return {
    env: texts(edits.env),
    devices: objects(edits.deviceNodes).map(({ path, hostPath, permissions }) => ({
      containerPath: text(path),
      hostPath: text(hostPath) || text(path),
      permissions: text(permissions) || "rwm",
    })),
    mounts: objects(edits.mounts).map(({ containerPath, hostPath, options }) => ({
      containerPath: text(containerPath),
      hostPath: text(hostPath),
      readonly: texts(options).includes("ro"),
      propagation: "private",
    })),
  };
}

async function readSpecs(): Promise<readonly JsonObject[]> {
  const specs: JsonObject[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => /\.(?:json|ya?ml)$/.test(one)).sort()) {
      const spec: unknown = parse(await readFile(join(folder, name), "utf8"));
      if (isJsonObject(spec)) specs.push(spec);
    }
  }
  return specs;
}

/** Finds what devices such as `vendor.com/gpu=card0` change, by the specifications on this machine. */
export function findEdits(specs: readonly JsonObject[], names: readonly string[]): readonly CdiEdits[] {
  const kinds = new Set<string>();
  return names.flatMap((name) => {
    const [kind = "", deviceName = ""] = name.split("=");
    const spec = specs.findLast(
      (one) => one.kind === kind && objects(one.devices).some((device) => device.name === deviceName),
    );
    const device = objects(spec?.devices).find((one) => one.name === deviceName);
    if (spec === undefined || device === undefined) throw new CdiError(`unresolvable CDI devices ${name}`);
    const own = editsOf(device.containerEdits, name);
    // What all devices of a kind need is given once.
    const whole = kinds.has(kind) ? [] : [editsOf(spec.containerEdits, name)];
    kinds.add(kind);
    return [...whole, own];
  });
}

/** The container with what its devices change. */
export async function withCdiDevices(config: ContainerConfig): Promise<ContainerConfig> {
  const names = config.cdiDevices ?? [];
  if (names.length === 0) return config;
  const edits = findEdits(await readSpecs(), names);
  const env = new Map(config.env.map(({ name, value }) => [name, value]));
  for (const entry of edits.flatMap((one) => one.env)) {
    const at = entry.indexOf("=");
    env.set(at === -1 ? entry : entry.slice(0, at), at === -1 ? "" : entry.slice(at + 1));
  }
  return {
    ...config,
    env: [...env].map(([name, value]) => ({ name, value })),
    devices: [...config.devices, ...edits.flatMap((one) => one.devices)],
    mounts: [...config.mounts, ...edits.flatMap((one) => one.mounts)],
  };
}
